// `fairlead routes`: how many statements went where, and why.
#include <fmt/format.h>

#include <memory>

#include "app/commands.h"
#include "app/console_json.h"
#include "app/terminal.h"
#include "app/text_table.h"

namespace fairlead::app {

namespace {

std::string routes_text(const ConsoleTable& routes) {
  if (routes.rows.empty()) return "No statement was sent to a server yet.\n";
  TextTable table({"reason", "target", "count", "share", "description"});
  for (size_t i = 0; i < routes.rows.size(); ++i) {
    table.add({routes.text(i, "reason"), routes.text(i, "target"), routes.text(i, "count"),
               fmt::format("{:>5.1f} %", 100 * routes.real(i, "share")),
               routes.text(i, "description")});
  }
  return table.text();
}

ExitCode run_routes(const ConsoleOptions& options) {
  const auto tables = ask_console(options, {console::View::kRoutes});
  if (!tables) return tables.error();
  const ConsoleTable& routes = tables->front();
  if (!options.json) {
    print(routes_text(routes));
    return ExitCode::kOk;
  }
  print(boost::json::serialize(boost::json::object{{"routes", rows_json(routes)}}) + "\n");
  return ExitCode::kOk;
}

}  // namespace

void add_routes(CommandBuilder root, Command& chosen) {
  auto options = std::make_shared<ConsoleOptions>();
  CommandBuilder command = root.add_subcommand("routes", "How many statements went where, and why");
  add_console_options(command, *options);
  command.footer(
      "\nExamples:\n  fairlead routes -c fairlead.toml\n  fairlead routes --json --url "
      "postgresql://app@127.0.0.1:6432/fairlead\n\nEnds with 4 when the proxy does not answer.");
  command.callback([options, &chosen] { chosen = [options] { return run_routes(*options); }; });
}

}  // namespace fairlead::app
