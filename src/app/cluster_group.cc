// `fairlead cluster`: the group and what its commands share.
#include "app/cluster_group.h"

#include <fmt/format.h>

#include "app/cluster_report.h"
#include "app/commands.h"
#include "cluster/sql_connection.h"
#include "config/units.h"

namespace fairlead::app {

void add_dir_option(CommandBuilder command, std::string& dir) {
  command.add_option("--dir", dir, "Folder that holds everything of the cluster")
      .type_name("DIR")
      .not_empty("it names no folder")
      .required();
}

ExitCode cluster_failed(const Error& error) {
  complain(error);
  return error.code == ErrorCode::kConnectionFailure ? ExitCode::kUnreachable : ExitCode::kError;
}

ExitCode show_plan(const Result<std::string>& plan, bool json) {
  if (!plan) return cluster_failed(plan.error());
  print(json ? plan_json(*plan) : *plan);
  return ExitCode::kOk;
}

bool take_span(std::string_view option, const std::string& text, std::chrono::milliseconds& into) {
  const auto parsed = config::parse_duration(text);
  if (parsed) into = std::chrono::duration_cast<std::chrono::milliseconds>(*parsed);
  if (parsed && into.count() > 0) return true;
  complain(Error{ErrorCode::kInvalidParameterValue,
                 fmt::format("{} {}: not a span of time", option, text),
                 {},
                 fmt::format("for example {} 20s", option)});
  return false;
}

void add_cluster(CommandBuilder root, Command& chosen) {
  CommandBuilder group =
      root.add_subcommand("cluster", "Make and manage PostgreSQL clusters on this machine");
  group.is_group();
  group.footer(
      "\nExamples:\n  fairlead cluster create --dir /tmp/c --replicas 2\n"
      "  fairlead cluster status --dir /tmp/c\n  fairlead cluster destroy --dir /tmp/c");
  group.callback(cluster::forget_libpq_variables);
  add_cluster_create(group, chosen);
  add_cluster_start(group, chosen);
  add_cluster_stop(group, chosen);
  add_cluster_destroy(group, chosen);
  add_cluster_status(group, chosen);
  add_cluster_promote(group, chosen);
  add_cluster_rejoin(group, chosen);
  add_cluster_verify(group, chosen);
  add_cluster_sync(group, chosen);
  add_cluster_switchover(group, chosen);
  add_cluster_add_replica(group, chosen);
  add_cluster_remove_replica(group, chosen);
  add_cluster_up(group, chosen);
}

}  // namespace fairlead::app
