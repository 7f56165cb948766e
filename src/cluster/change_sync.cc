#include "cluster/change_sync.h"

#include <fmt/format.h>

#include "cluster/members_plan.h"
#include "cluster/open_cluster.h"
#include "cluster/sync_checks.h"

namespace fairlead::cluster {

namespace {

struct SyncChange {
  ClusterState next;
  Operation operation;
};

Result<SyncChange> plan_sync_change(const OpenCluster& open, const SyncRule& rule) {
  const auto primary = open.primary();
  if (!primary) return std::unexpected(primary.error());
  if (auto good = check_rule(open.cluster(), *primary, rule); !good)
    return std::unexpected(good.error());
  ClusterState next = open.state();
  next.spec.sync = rule;
  Plan plan = plan_sync(next, *primary);
  return SyncChange{std::move(next),
                    operation_on(open.state(), *primary, OperationKind::kSync,
                                 fmt::format("sync '{}'", to_string(rule)), std::move(plan))};
}

}  // namespace

Result<Cluster> change_sync(const std::string& dir, const SyncRule& rule, ProgressSink& progress,
                            const StopFlag& stop) {
  auto open = OpenCluster::open(dir, progress, stop);
  if (!open) return std::unexpected(open.error());
  auto change = plan_sync_change(*open, rule);
  if (!change) return std::unexpected(change.error());
  if (auto done = open->run(std::move(change->next), std::move(change->operation)); !done)
    return std::unexpected(done.error());
  return open->cluster();
}

Result<std::string> describe_change_sync(const std::string& dir, const SyncRule& rule) {
  const auto open = OpenCluster::look(dir);
  if (!open) return std::unexpected(open.error());
  const auto change = plan_sync_change(*open, rule);
  if (!change) return std::unexpected(change.error());
  return render(change->operation.plan, change->next);
}

}  // namespace fairlead::cluster
