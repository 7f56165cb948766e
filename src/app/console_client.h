// Asks the admin console of a running Fairlead: what the commands that print its views share.
//
// The console is found by --url, or through the configuration: its port, and a user who may log in.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "app/command_line.h"
#include "app/config_source.h"
#include "app/exit_code.h"
#include "console/views.h"

namespace fairlead::app {

struct ConsoleOptions {
  ConfigOptions config;
  std::string url;
  std::string user;
  bool json = false;
};

/// -c, --primary, --url, --user and --json. `options` must live until the command has run.
void add_console_options(CommandBuilder command, ConsoleOptions& options);

/// Rows by the names of their columns; a column that this program knows has its type.
struct ConsoleTable {
  std::vector<std::string> columns;
  std::vector<std::vector<wire::ResultCell>> rows;

  /// NULL and a column that the console does not have read as "" and 0.
  std::string text(size_t row, std::string_view column) const;
  int64_t number(size_t row, std::string_view column) const;
  double real(size_t row, std::string_view column) const;
};

/// The views, in this order, over one connection. What went wrong was said on standard error:
/// kUnreachable when nobody answers or lets us in.
std::expected<std::vector<ConsoleTable>, ExitCode> ask_console(
    const ConsoleOptions& options, const std::vector<console::View>& views);

}  // namespace fairlead::app
