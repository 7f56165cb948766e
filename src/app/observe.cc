// `fairlead observe`: what observe mode has found out.
#include <memory>

#include "app/commands.h"
#include "app/observe_report.h"
#include "app/terminal.h"

namespace fairlead::app {

namespace {

struct ObserveOptions {
  ConsoleOptions console;
  size_t shapes = 10;
};

ExitCode run_observe(const ObserveOptions& options) {
  const auto tables =
      ask_console(options.console, {console::View::kObserve, console::View::kObserveShapes});
  if (!tables) return tables.error();
  print(options.console.json ? observe_json(tables->at(0), tables->at(1))
                             : observe_text(tables->at(0), tables->at(1), options.shapes));
  return ExitCode::kOk;
}

}  // namespace

void add_observe(CommandBuilder root, Command& chosen) {
  auto options = std::make_shared<ObserveOptions>();
  CommandBuilder command =
      root.add_subcommand("observe", "What could move to replicas (observe mode)");
  add_console_options(command, options->console);
  command.add_option("--shapes", options->shapes, "Statements to list for each database")
      .type_name("N")
      .shows_default();
  command.footer(
      "\nExamples:\n  fairlead observe -c fairlead.toml\n  fairlead observe --json --url "
      "postgresql://app@127.0.0.1:6432/fairlead\n\nOf databases with mode = \"observe\". Ends with "
      "4 when the proxy does not answer.");
  command.callback([options, &chosen] { chosen = [options] { return run_observe(*options); }; });
}

}  // namespace fairlead::app
