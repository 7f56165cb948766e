// `fairlead cluster sync`.
#include <fmt/format.h>

#include <memory>

#include "app/cluster_group.h"
#include "app/cluster_status_report.h"
#include "app/commands.h"
#include "cluster/change_sync.h"
#include "cluster/status.h"

namespace fairlead::app {

namespace {

struct SyncOptions {
  std::string dir;
  std::string rule;
  bool dry_run = false;
  bool json = false;
};

constexpr const char* kClusterSyncFooter = R"(
Examples:
  fairlead cluster sync --dir /tmp/c 'any 1'
  fairlead cluster sync --dir /tmp/c off

RULE is one of
  any N     a commit is acknowledged when any N of the replicas have it on disk
  first N   when the first N of those that stream have it, in the order of their names
  off       at once: a failover may lose the last commits

Changes a running cluster, also while clients write. Refused where commits would wait for ever.)";

ExitCode show(const SyncOptions& options, const cluster::Cluster& cluster) {
  const std::string name = cluster::cluster_name(options.dir);
  const auto rows = cluster::ask_nodes(cluster);
  const std::string rule = to_string(cluster.state.spec.sync);
  if (options.json)
    print(fmt::format("{{\"sync\":\"{}\",\"nodes\":{}}}\n", rule, status_json(name, rows)));
  else
    print(fmt::format("Commits wait for: {}\n{}", cluster.state.spec.sync.is_on() ? rule : "nobody",
                      status_text(name, rows)));
  return ExitCode::kOk;
}

ExitCode run_sync(const SyncOptions& options) {
  const auto rule = cluster::parse_sync_rule(options.rule);
  if (!rule) {
    complain(rule.error());
    return ExitCode::kUsage;
  }
  if (options.dry_run)
    return show_plan(cluster::describe_change_sync(options.dir, *rule), options.json);
  return run_cluster_work(
      [&](auto& progress, const auto& stop) {
        return cluster::change_sync(options.dir, *rule, progress, stop);
      },
      [&](const Result<cluster::Cluster>& changed) { return show(options, *changed); });
}

}  // namespace

void add_cluster_sync(CommandBuilder group, Command& chosen) {
  auto options = std::make_shared<SyncOptions>();
  CommandBuilder command = group.add_subcommand("sync", "How many replicas a commit waits for");
  add_dir_option(command, options->dir);
  command.add_option("RULE", options->rule, "any N, first N or off").required();
  command.add_flag("--dry-run", options->dry_run, "Only tell what would be done");
  command.add_flag("--json", options->json, "As JSON");
  command.footer(kClusterSyncFooter);
  command.callback([options, &chosen] { chosen = [options] { return run_sync(*options); }; });
}

}  // namespace fairlead::app
