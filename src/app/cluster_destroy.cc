// `fairlead cluster destroy`.
#include <fmt/format.h>

#include <memory>

#include "app/cluster_group.h"
#include "app/commands.h"
#include "cluster/commands.h"

namespace fairlead::app {

namespace {

ExitCode run_destroy(const std::string& dir) {
  return run_cluster_work(
      [&](auto& progress, const auto& stop) { return cluster::destroy(dir, progress, stop); },
      [&](const Result<void>&) {
        say(fmt::format("removed {}", dir));
        return ExitCode::kOk;
      });
}

}  // namespace

void add_cluster_destroy(CommandBuilder group, Command& chosen) {
  auto dir = std::make_shared<std::string>();
  CommandBuilder command =
      group.add_subcommand("destroy", "End the nodes and remove the folder with all data");
  add_dir_option(command, *dir);
  command.footer("\nExample:\n  fairlead cluster destroy --dir /tmp/c");
  command.callback([dir, &chosen] { chosen = [dir] { return run_destroy(*dir); }; });
}

}  // namespace fairlead::app
