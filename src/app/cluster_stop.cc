// `fairlead cluster stop`.
#include <fmt/format.h>

#include <memory>

#include "app/cluster_group.h"
#include "app/cluster_report.h"
#include "app/commands.h"
#include "cluster/commands.h"

namespace fairlead::app {

namespace {

struct StopOptions {
  std::string dir;
  bool json = false;
};

ExitCode run_stop(const StopOptions& options) {
  return run_cluster_work(
      [&](auto& progress, const auto& stop) { return cluster::stop(options.dir, progress, stop); },
      [&](const Result<void>&) {
        if (options.json)
          print(folder_json("stopped", options.dir));
        else
          say(fmt::format("stopped; fairlead cluster start --dir {} starts it again", options.dir));
        return ExitCode::kOk;
      });
}

}  // namespace

void add_cluster_stop(CommandBuilder group, Command& chosen) {
  auto options = std::make_shared<StopOptions>();
  CommandBuilder command = group.add_subcommand("stop", "Stop the nodes; their data stays");
  add_dir_option(command, options->dir);
  command.add_flag("--json", options->json, "As JSON");
  command.footer("\nExample:\n  fairlead cluster stop --dir /tmp/c");
  command.callback([options, &chosen] { chosen = [options] { return run_stop(*options); }; });
}

}  // namespace fairlead::app
