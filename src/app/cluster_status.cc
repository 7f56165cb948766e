// `fairlead cluster status`.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "app/cluster_group.h"
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
  print(options.json ? cluster::status_json(*rows) + "\n" : cluster::render_status(*rows));
  const bool all_answer = std::ranges::all_of(*rows, [](const auto& row) {
    return row.state != "stopped" && row.state != "not answering";
  });
  return all_answer ? ExitCode::kOk : ExitCode::kUnreachable;
}

}  // namespace

void add_cluster_status(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* command = group.add_subcommand("status", "Each node's role, state and positions");
  add_dir_option(*command, options->dir);
  command->add_flag("--json", options->json, "As JSON");
  command->footer(
      "\nExample:\n  fairlead cluster status --dir /tmp/c --json\n\nEnds with 4 when a node does "
      "not answer.");
  command->callback([options, &chosen] { chosen = [options] { return run_status(*options); }; });
}

}  // namespace fairlead::app
