// A replica leaves.
#include <fmt/format.h>

#include "cluster/members.h"
#include "cluster/members_plan.h"
#include "cluster/open_cluster.h"
#include "cluster/sync_checks.h"

namespace fairlead::cluster {

namespace {

struct Removal {
  ClusterState next;
  Operation operation;
};

Result<Removal> plan_removal(const OpenCluster& open, const std::string& name) {
  const auto primary = open.primary();
  if (!primary) return std::unexpected(primary.error());
  const auto node = open.find(name);
  if (!node) return std::unexpected(node.error());
  const ClusterState& state = open.state();
  if (*node == *primary)
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("{} is the primary, which cannot be removed", name), {},
                "make another one the primary first: fairlead cluster switchover");
  if (auto good = check_rule(open.cluster(), *primary, state.spec.sync, *node); !good)
    return std::unexpected(good.error());
  Removal change{state, {}};
  // From now on no file names it, and no commit counts on it.
  change.next.nodes[*node].standing = Standing::kJoining;
  change.operation = operation_on(state, *primary, OperationKind::kRemoveReplica,
                                  fmt::format("remove-replica {}", name),
                                  plan_remove_replica(change.next, *node, *primary));
  return change;
}

}  // namespace

Result<Cluster> remove_replica(const std::string& dir, const std::string& node,
                               ProgressSink& progress, const StopFlag& stop) {
  auto open = OpenCluster::open(dir, progress, stop);
  if (!open) return std::unexpected(open.error());
  auto change = plan_removal(*open, node);
  if (!change) return std::unexpected(change.error());
  if (auto done = open->run(std::move(change->next), std::move(change->operation)); !done)
    return std::unexpected(done.error());
  return open->cluster();
}

Result<std::string> describe_remove_replica(const std::string& dir, const std::string& node) {
  const auto open = OpenCluster::look(dir);
  if (!open) return std::unexpected(open.error());
  const auto change = plan_removal(*open, node);
  if (!change) return std::unexpected(change.error());
  return render(change->operation.plan, change->next);
}

}  // namespace fairlead::cluster
