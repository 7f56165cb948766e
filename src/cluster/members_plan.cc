#include "cluster/members_plan.h"

namespace fairlead::cluster {

namespace {

/// Every member but `except` reads its files anew, the primary last: until then nothing changes.
void add_reconfigure(Plan& plan, const ClusterState& state, size_t primary, size_t except) {
  for (size_t node = 0; node < state.nodes.size(); ++node)
    if (node != primary && node != except && state.nodes[node].standing == Standing::kMember)
      plan.push_back({StepKind::kReconfigure, node, primary});
  plan.push_back({StepKind::kReconfigure, primary, primary});
  plan.push_back({StepKind::kAwaitSync, primary, primary});
}

}  // namespace

Plan plan_sync(const ClusterState& state, size_t primary) {
  Plan plan;
  add_reconfigure(plan, state, primary, primary);
  return plan;
}

Plan plan_add_replica(size_t node, size_t primary) {
  return {{StepKind::kClone, node, primary},
          {StepKind::kConfigure, node, primary},
          {StepKind::kStart, node, primary},
          {StepKind::kAwaitStreaming, node, primary}};
}

Plan plan_admission(const ClusterState& state, size_t node, size_t primary) {
  Plan plan = {{StepKind::kAdmit, node}};
  if (state.spec.sync.is_on()) add_reconfigure(plan, state, primary, node);
  return plan;
}

Plan plan_remove_replica(const ClusterState& state, size_t node, size_t primary) {
  Plan plan;
  if (state.spec.sync.is_on()) add_reconfigure(plan, state, primary, node);
  plan.push_back({StepKind::kStop, node});
  plan.push_back({StepKind::kDropSlot, node, primary});
  plan.push_back({StepKind::kRemoveData, node});
  plan.push_back({StepKind::kForget, node});
  return plan;
}

}  // namespace fairlead::cluster
