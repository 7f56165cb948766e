// `fairlead version`.
#include "app/version.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "app/commands.h"
#include "app/terminal.h"

namespace fairlead::app {

void add_version(CommandBuilder root, Command& chosen) {
  auto json = std::make_shared<bool>(false);
  CommandBuilder command = root.add_subcommand("version", "Which fairlead this is");
  command.add_flag("--json", *json, "As JSON");
  command.footer("\nExample:\n  fairlead version --json");
  command.callback([json, &chosen] {
    chosen = [json] {
      print(*json ? boost::json::serialize(boost::json::object{{"version", kVersion}}) + "\n"
                  : fmt::format("fairlead {}\n", kVersion));
      return ExitCode::kOk;
    };
  });
}

}  // namespace fairlead::app
