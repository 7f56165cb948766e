// `fairlead cluster destroy`.
#include <fmt/format.h>

#include <memory>

#include "app/cluster_group.h"
#include "app/cluster_report.h"
#include "app/commands.h"
#include "cluster/commands.h"

namespace fairlead::app {

namespace {

struct DestroyOptions {
  std::string dir;
  bool json = false;
};

ExitCode run_destroy(const DestroyOptions& options) {
  return run_cluster_work(
      [&](auto& progress, const auto& stop) {
        return cluster::destroy(options.dir, progress, stop);
      },
      [&](const Result<void>&) {
        if (options.json)
          print(folder_json("removed", options.dir));
        else
          say(fmt::format("removed {}", options.dir));
        return ExitCode::kOk;
      });
}

}  // namespace

void add_cluster_destroy(CommandBuilder group, Command& chosen) {
  auto options = std::make_shared<DestroyOptions>();
  CommandBuilder command =
      group.add_subcommand("destroy", "End the nodes and remove the folder with all data");
  add_dir_option(command, options->dir);
  command.add_flag("--json", options->json, "As JSON");
  command.footer("\nExample:\n  fairlead cluster destroy --dir /tmp/c");
  command.callback([options, &chosen] { chosen = [options] { return run_destroy(*options); }; });
}

}  // namespace fairlead::app
