// `fairlead cluster add-replica` and `remove-replica`.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "app/cluster_config.h"
#include "app/cluster_group.h"
#include "app/cluster_report.h"
#include "app/commands.h"
#include "cluster/members.h"

namespace fairlead::app {

namespace {

struct AddOptions {
  std::string dir;
  cluster::AddReplicaRequest request;
  std::string max_lag = "10s";
  std::string timeout = "1h";
  bool dry_run = false;
  bool json = false;
};

constexpr const char* kAddFooter = R"(
Examples:
  fairlead cluster add-replica --dir /tmp/c
  fairlead cluster add-replica --dir /tmp/c --name reports --max-lag 2s --dry-run

Copies the primary while it works (pg_basebackup), starts the copy, waits until it streams and is no
further behind than --max-lag, and then lets commits count on it. Interrupted, it is taken back: by
itself, or after kill -9 by the next command. How far the copy is stands on standard error.)";

/// `otherwise`: what to do where the configuration that came with the cluster is another by now.
ExitCode renew_nodes(const cluster::Cluster& cluster, std::string_view otherwise) {
  const auto renewed = renew_proxy_nodes(cluster);
  if (!renewed) return cluster_failed(renewed.error());
  say(next_step_after_change(cluster, *renewed, otherwise));
  return ExitCode::kOk;
}

ExitCode show_added(const AddOptions& options, const cluster::AddedReplica& added) {
  if (options.json) {
    boost::json::object out = cluster_object(added.cluster);
    out["node"] = added.name;
    print(boost::json::serialize(out) + "\n");
  } else {
    print(cluster_text(added.cluster));
  }
  return renew_nodes(added.cluster,
                     fmt::format("name {} in the proxy's list of nodes, if it is not there yet",
                                 added.cluster.find(added.name)->address()));
}

ExitCode run_add(AddOptions options) {
  if (!take_span("--max-lag", options.max_lag, options.request.max_lag) ||
      !take_span("--timeout", options.timeout, options.request.timeout))
    return ExitCode::kUsage;
  if (options.dry_run)
    return show_plan(cluster::describe_add_replica(options.dir, options.request), options.json);
  return run_cluster_work(
      [&](auto& progress, const auto& stop) {
        return cluster::add_replica(options.dir, options.request, progress, stop);
      },
      [&](const Result<cluster::AddedReplica>& added) { return show_added(options, *added); });
}

struct RemoveOptions {
  std::string dir;
  std::string node;
  bool dry_run = false;
  bool json = false;
};

constexpr const char* kRemoveFooter = R"(
Example:
  fairlead cluster remove-replica --dir /tmp/c node3

Removes the replica's processes, its data and its replication slot, for good. Refused for the
primary, and where commits would wait for ever without it. Interrupted, it is taken back or, once
its slot is gone, finished by the next command.)";

ExitCode run_remove(const RemoveOptions& options) {
  if (options.dry_run)
    return show_plan(cluster::describe_remove_replica(options.dir, options.node), options.json);
  return run_cluster_work(
      [&](auto& progress, const auto& stop) {
        return cluster::remove_replica(options.dir, options.node, progress, stop);
      },
      [&](const Result<cluster::Cluster>& left) {
        print(options.json ? cluster_json(*left) : cluster_text(*left));
        return renew_nodes(
            *left, fmt::format("take {} out of the proxy's list of nodes, if it is still there",
                               options.node));
      });
}

}  // namespace

void add_cluster_add_replica(CommandBuilder group, Command& chosen) {
  auto options = std::make_shared<AddOptions>();
  CommandBuilder command =
      group.add_subcommand("add-replica", "One replica more, copied from the primary");
  add_dir_option(command, options->dir);
  command
      .add_option("--name", options->request.name,
                  "Its name; default: the next of node1, node2 ...")
      .type_name("NODE");
  command.add_option("--port", options->request.port, "Its port; default: one that is free");
  command.add_option("--max-lag", options->max_lag, "How far behind it may be to be ready")
      .type_name("SPAN")
      .shows_default();
  command
      .add_option("--timeout", options->timeout, "How long it may take to get there, once it runs")
      .type_name("SPAN")
      .shows_default();
  command.add_flag("--dry-run", options->dry_run, "Only tell what would be done");
  command.add_flag("--json", options->json, "As JSON");
  command.footer(kAddFooter);
  command.callback([options, &chosen] { chosen = [options] { return run_add(*options); }; });
}

void add_cluster_remove_replica(CommandBuilder group, Command& chosen) {
  auto options = std::make_shared<RemoveOptions>();
  CommandBuilder command =
      group.add_subcommand("remove-replica", "One replica less, with all its data");
  add_dir_option(command, options->dir);
  command.add_option("NODE", options->node, "Its name, as fairlead cluster status has it")
      .required();
  command.add_flag("--dry-run", options->dry_run, "Only tell what would be done");
  command.add_flag("--json", options->json, "As JSON");
  command.footer(kRemoveFooter);
  command.callback([options, &chosen] { chosen = [options] { return run_remove(*options); }; });
}

}  // namespace fairlead::app
