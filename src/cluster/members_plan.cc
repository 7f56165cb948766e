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

}  // namespace fairlead::cluster
