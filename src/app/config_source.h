// Where this run's configuration comes from: the flags that several commands share, the rules for
// which file or URL counts, and the reading itself.
//
// The first of these that is there: -c FILE, --primary URL, FAIRLEAD_CONFIG, DATABASE_URL,
// FAIRLEAD_CLUSTER_MAIN_NODES, /etc/fairlead/fairlead.toml. A file and URLs never mix. Flags and
// FAIRLEAD_... variables then change single values (config/load.h).
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "app/command_line.h"
#include "app/exit_code.h"
#include "base/error.h"
#include "config/load.h"

namespace fairlead::app {

/// What the command line said. Filled while it is read.
struct ConfigOptions {
  std::string file;
  std::string primary_url;
  std::vector<std::string> replica_urls;
  std::vector<config::FlagValue> flags;
};

/// -c, --primary, --replica and --set. `options` must live until the command has run.
void add_config_options(CommandBuilder command, ConfigOptions& options);
/// --port and the other flags of a proxy that runs.
void add_proxy_options(CommandBuilder command, ConfigOptions& options);

/// "a b", "a,b" and lines are lists of URLs; a comma between hosts of one URL is none of its
/// separators. Pure.
std::vector<std::string> split_urls(std::string_view text);

/// "listen.port=6000" as --set has it. Pure.
Result<config::FlagValue> parse_set(const std::string& text);

/// Decides what counts and reads the file, if it is one. kInvalidParameterValue: nothing was given
/// at all, which is a matter of usage. Pure as far as its two functions are.
Result<config::Sources> find_sources(const ConfigOptions& options,
                                     const config::Environment& environment,
                                     const config::FileReader& read_file);

/// A configuration that cannot be used: one error, or everything that is wrong with the values.
struct ConfigFailure {
  Error error;                // Its message is empty when there are problems.
  config::Problems problems;  // In the order of the file.
  std::string file_name;
};

/// find_sources() and config::load() on the real environment and disk.
std::expected<config::Config, ConfigFailure> load_config(const ConfigOptions& options);

/// One line for each problem on standard error. Returns kUsage or kError.
ExitCode complain(const ConfigFailure& failure);

}  // namespace fairlead::app
