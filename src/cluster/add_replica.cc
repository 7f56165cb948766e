// A replica joins.
#include <fmt/format.h>

#include <algorithm>

#include "cluster/await_lag.h"
#include "cluster/files.h"
#include "cluster/members.h"
#include "cluster/members_plan.h"
#include "cluster/open_cluster.h"
#include "cluster/ports.h"

namespace fairlead::cluster {

namespace {

/// A name that is free; an Error when the one that was asked for is not.
Result<std::string> choose_name(const ClusterState& state, const std::string& wanted) {
  const Layout layout(state.spec.dir);
  // The folder of a node stands beside others of the cluster, which it must not be mixed up with.
  const auto is_free = [&](const std::string& name) {
    return std::ranges::find(state.nodes, name, &NodeState::name) == state.nodes.end() &&
           !exists(layout.data_dir(name));
  };
  if (wanted.empty()) {
    for (size_t number = 1;; ++number)
      if (std::string name = fmt::format("node{}", number); is_free(name)) return name;
  }
  if (auto good = check_node_name(wanted); !good) return std::unexpected(good.error());
  if (is_free(wanted)) return wanted;
  return fail(ErrorCode::kInvalidParameterValue, fmt::format("the name {} is taken", wanted),
              exists(layout.data_dir(wanted)) ? fmt::format("there is {}", layout.data_dir(wanted))
                                              : "another node has it",
              "choose another with --name, or none");
}

uint16_t choose_port(const ClusterState& state, uint16_t wanted) {
  if (wanted != 0 || state.spec.base_port == 0) return wanted;
  uint16_t above = state.spec.base_port;
  for (const NodeState& node : state.nodes)
    above = std::max<uint16_t>(above, static_cast<uint16_t>(node.port + 1));
  return above;
}

struct Addition {
  ClusterState next;
  Operation operation;
  Plan rest;  // Behind the wait for its lag.
};

Result<Addition> plan_addition(const OpenCluster& open, const AddReplicaRequest& request) {
  const auto primary = open.primary();
  if (!primary) return std::unexpected(primary.error());
  const ClusterState& state = open.state();
  if (state.nodes.size() > kReplicasMax)
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a cluster has {} replicas at most", kReplicasMax));
  auto name = choose_name(state, request.name);
  if (!name) return std::unexpected(name.error());
  const uint16_t port = choose_port(state, request.port);
  if (std::ranges::find(state.nodes, port, &NodeState::port) != state.nodes.end())
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("another node of the cluster has port {}", port), {},
                "choose another with --port, or none");
  // A port of the system's choice may be exchanged for another on the way; one that was asked for
  // not.
  if (port != 0)
    if (const auto free = PortReservation::make(state.spec.host, port); !free)
      return std::unexpected(free.error());
  Addition change{state, {}, {}};
  change.next.nodes.push_back({*name, port, Standing::kJoining});
  const size_t node = state.nodes.size();
  change.operation =
      operation_on(state, *primary, OperationKind::kAddReplica,
                   fmt::format("add-replica {}", *name), plan_add_replica(node, *primary));
  change.operation.open_ended = true;
  change.rest = plan_admission(change.next, node, *primary);
  return change;
}

/// Until the new replica keeps up.
Result<void> await_keeping_up(const OpenCluster& open, size_t node,
                              const AddReplicaRequest& request, ProgressSink& progress,
                              const StopFlag& stop) {
  const auto primary = open.primary();
  if (!primary) return std::unexpected(primary.error());
  const Cluster cluster = open.cluster();
  const auto lag = await_lag(cluster, *primary, node, request.max_lag, request.timeout, stop);
  if (!lag) return std::unexpected(lag.error());
  progress.noted(fmt::format("{} is {} ms behind {} at most", cluster.nodes[node].name,
                             std::chrono::ceil<std::chrono::milliseconds>(*lag).count(),
                             cluster.nodes[*primary].name));
  return {};
}

}  // namespace

Result<AddedReplica> add_replica(const std::string& dir, const AddReplicaRequest& request,
                                 ProgressSink& progress, const StopFlag& stop) {
  auto open = OpenCluster::open(dir, progress, stop);
  if (!open) return std::unexpected(open.error());
  auto change = plan_addition(*open, request);
  if (!change) return std::unexpected(change.error());
  const size_t node = change->next.nodes.size() - 1;
  std::string name = change->next.nodes[node].name;
  if (auto done = open->run(std::move(change->next), std::move(change->operation)); !done)
    return std::unexpected(done.error());
  if (auto good = await_keeping_up(*open, node, request, progress, stop); !good)
    return std::unexpected(open->give_up(good.error()));
  if (auto done = open->extend(change->rest); !done) return std::unexpected(done.error());
  if (auto done = open->carry_on(); !done) return std::unexpected(done.error());
  return AddedReplica{std::move(name), open->cluster()};
}

Result<std::string> describe_add_replica(const std::string& dir, const AddReplicaRequest& request) {
  const auto open = OpenCluster::look(dir);
  if (!open) return std::unexpected(open.error());
  auto change = plan_addition(*open, request);
  if (!change) return std::unexpected(change.error());
  Plan plan = change->operation.plan;
  plan.insert(plan.end(), change->rest.begin(), change->rest.end());
  return render(plan, change->next);
}

}  // namespace fairlead::cluster
