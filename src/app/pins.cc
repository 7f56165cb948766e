// `fairlead pins`: the clients that keep their server, and what ends that.
#include <memory>

#include "app/commands.h"
#include "app/console_json.h"
#include "app/proxy_report.h"
#include "app/terminal.h"
#include "app/text_table.h"

namespace fairlead::app {

namespace {

std::string pins_text(const ConsoleTable& pins) {
  if (pins.rows.empty()) return "No client keeps a server beyond its transaction.\n";
  TextTable table(
      {"client", "user", "database", "node", "server pid", "for", "reason", "which means"});
  for (size_t i = 0; i < pins.rows.size(); ++i) {
    const auto held = std::chrono::duration<double>(pins.real(i, "since_s"));
    table.add({pins.text(i, "addr"), pins.text(i, "user"), pins.text(i, "database"),
               pins.text(i, "node"), pins.text(i, "server_pid"),
               short_time(std::chrono::duration_cast<Duration>(held)), pins.text(i, "reason"),
               pins.text(i, "description")});
  }
  return table.text();
}

ExitCode run_pins(const ConsoleOptions& options) {
  const auto tables = ask_console(options, {console::View::kPins});
  if (!tables) return tables.error();
  const ConsoleTable& pins = tables->front();
  print(options.json ? boost::json::serialize(boost::json::object{{"pins", rows_json(pins)}}) + "\n"
                     : pins_text(pins));
  return ExitCode::kOk;
}

}  // namespace

void add_pins(CommandBuilder root, Command& chosen) {
  auto options = std::make_shared<ConsoleOptions>();
  CommandBuilder command = root.add_subcommand("pins", "Which clients keep a server, and why");
  add_console_options(command, *options);
  command.footer(
      "\nExamples:\n  fairlead pins -c fairlead.toml\n  fairlead pins --json --url "
      "postgresql://app@127.0.0.1:6432/fairlead\n\nEnds with 4 when the proxy does not answer.");
  command.callback([options, &chosen] { chosen = [options] { return run_pins(*options); }; });
}

}  // namespace fairlead::app
