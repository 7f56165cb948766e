// `fairlead cluster start`.
#include <memory>

#include "app/cluster_group.h"
#include "app/cluster_report.h"
#include "app/commands.h"
#include "cluster/commands.h"

namespace fairlead::app {

namespace {

struct StartOptions {
  std::string dir;
  bool json = false;
};

ExitCode run_start(const StartOptions& options) {
  return run_cluster_work(
      [&](auto& progress, const auto& stop) { return cluster::start(options.dir, progress, stop); },
      [&](Result<cluster::Cluster> started) {
        print(options.json ? cluster_json(*started) : cluster_text(*started));
        return ExitCode::kOk;
      });
}

}  // namespace

void add_cluster_start(CommandBuilder group, Command& chosen) {
  auto options = std::make_shared<StartOptions>();
  CommandBuilder command = group.add_subcommand("start", "Start the nodes that are not running");
  add_dir_option(command, options->dir);
  command.add_flag("--json", options->json, "As JSON");
  command.footer("\nExample:\n  fairlead cluster start --dir /tmp/c");
  command.callback([options, &chosen] { chosen = [options] { return run_start(*options); }; });
}

}  // namespace fairlead::app
