// `fairlead cluster stop`.
#include <fmt/format.h>

#include <memory>

#include "app/cluster_group.h"
#include "app/commands.h"
#include "cluster/commands.h"

namespace fairlead::app {

namespace {

ExitCode run_stop(const std::string& dir) {
  return run_cluster_work(
      [&](auto& progress, const auto& stop) { return cluster::stop(dir, progress, stop); },
      [&](const Result<void>&) {
        say(fmt::format("stopped; fairlead cluster start --dir {} starts it again", dir));
        return ExitCode::kOk;
      });
}

}  // namespace

void add_cluster_stop(CommandBuilder group, Command& chosen) {
  auto dir = std::make_shared<std::string>();
  CommandBuilder command = group.add_subcommand("stop", "Stop the nodes; their data stays");
  add_dir_option(command, *dir);
  command.footer("\nExample:\n  fairlead cluster stop --dir /tmp/c");
  command.callback([dir, &chosen] { chosen = [dir] { return run_stop(*dir); }; });
}

}  // namespace fairlead::app
