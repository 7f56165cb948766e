// `fairlead cluster status`.
#include <algorithm>
#include <memory>

#include "app/cluster_group.h"
#include "app/cluster_status_report.h"
#include "app/commands.h"
#include "cluster/commands.h"

namespace fairlead::app {

namespace {

struct StatusOptions {
  std::string dir;
  bool json = false;
};

ExitCode run_status(const StatusOptions& options) {
  const auto rows = cluster::status(options.dir);
  if (!rows) return cluster_failed(rows.error());
  const std::string name = cluster::cluster_name(options.dir);
  print(options.json ? status_json(name, *rows) + "\n" : status_text(name, *rows));
  const bool all_answer = std::ranges::all_of(*rows, &cluster::StatusRow::answers);
  return all_answer ? ExitCode::kOk : ExitCode::kUnreachable;
}

}  // namespace

void add_cluster_status(CommandBuilder group, Command& chosen) {
  auto options = std::make_shared<StatusOptions>();
  CommandBuilder command =
      group.add_subcommand("status", "Each node's role, state, positions and lag");
  add_dir_option(command, options->dir);
  command.add_flag("--json", options->json, "As JSON");
  command.footer(
      "\nExample:\n  fairlead cluster status --dir /tmp/c --json\n\nEnds with 4 when a node does "
      "not answer.");
  command.callback([options, &chosen] { chosen = [options] { return run_status(*options); }; });
}

}  // namespace fairlead::app
