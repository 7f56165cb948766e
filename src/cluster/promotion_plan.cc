// Which step of a promotion comes after which.
#include "cluster/promotion_plan.h"

#include <algorithm>

namespace fairlead::cluster {

std::vector<size_t> replicas_of(const ClusterState& state, size_t primary) {
  std::vector<size_t> out;
  for (size_t i = 0; i < state.nodes.size(); ++i)
    if (i != primary) out.push_back(i);
  return out;
}

Plan plan_comparison(const ClusterState& state, size_t primary, const std::vector<bool>& running) {
  Plan plan;
  if (running[primary]) plan.push_back({StepKind::kEnd, primary});
  plan.push_back({StepKind::kFence, primary});
  for (const size_t node : replicas_of(state, primary)) {
    if (state.nodes[node].standing != Standing::kMember) continue;
    plan.push_back({StepKind::kDetach, node, primary});
    if (!running[node]) plan.push_back({StepKind::kTryStart, node, primary});
  }
  return plan;
}

std::vector<size_t> able_to_follow(const std::vector<Candidate>& candidates,
                                   const std::vector<size_t>& replicas, const Verdict& verdict) {
  const Candidate& chosen = candidates[verdict.chosen];
  std::vector<size_t> out;
  for (size_t i = 0; i < candidates.size(); ++i)
    if (i != verdict.chosen && candidates[i].examined &&
        candidates[i].timeline == chosen.timeline && candidates[i].position <= chosen.position)
      out.push_back(replicas[i]);
  return out;
}

Plan plan_promotion(const ClusterState& state, size_t primary, size_t chosen,
                    const std::vector<size_t>& followers) {
  const auto follows = [&](size_t node) {
    return std::ranges::find(followers, node) != followers.end();
  };
  Plan plan;
  for (size_t node = 0; node < state.nodes.size(); ++node) {
    if (node == chosen) continue;
    if (!follows(node)) plan.push_back({StepKind::kMarkForRejoin, node});
    plan.push_back({StepKind::kMakeSlot, node, chosen});
  }
  plan.push_back({StepKind::kReconfigure, chosen, chosen});
  plan.push_back({StepKind::kPromote, chosen});
  plan.push_back({StepKind::kConfigure, primary, chosen});
  for (const size_t node : followers) plan.push_back({StepKind::kReconfigure, node, chosen});
  for (const size_t node : replicas_of(state, primary))
    if (node != chosen && !follows(node)) plan.push_back({StepKind::kEnd, node});
  for (const size_t node : followers) plan.push_back({StepKind::kAwaitFollower, node, chosen});
  return plan;
}

Plan plan_switchover(const ClusterState& state, size_t primary, size_t chosen,
                     const std::vector<size_t>& streaming) {
  std::vector<size_t> others;
  for (const size_t node : replicas_of(state, primary))
    if (node != chosen && state.nodes[node].standing == Standing::kMember) others.push_back(node);
  Plan plan;
  for (size_t node = 0; node < state.nodes.size(); ++node)
    if (node != chosen) plan.push_back({StepKind::kMakeSlot, node, chosen});
  plan.insert(plan.end(), {{StepKind::kAwaitNear, chosen, primary},
                           {StepKind::kCheckpoint, primary, primary},
                           {StepKind::kHold, primary, primary},
                           {StepKind::kAwaitQuiet, primary, primary},
                           {StepKind::kStop, primary, primary},
                           {StepKind::kFence, primary, primary},
                           {StepKind::kAwaitComplete, chosen, primary},
                           {StepKind::kPromote, chosen, chosen}});
  const Step prove{StepKind::kProveWrites, chosen, chosen};
  for (const size_t node : others) plan.push_back({StepKind::kReconfigure, node, chosen});
  // Where the others that work are too few for the rule, no commit comes through before the old
  // primary is back.
  const auto working = std::ranges::count_if(
      others, [&](size_t node) { return std::ranges::find(streaming, node) != streaming.end(); });
  const bool others_suffice = static_cast<size_t>(working) >= state.spec.sync.count;
  if (others_suffice) plan.push_back(prove);
  plan.push_back({StepKind::kConfigure, primary, chosen});
  plan.push_back({StepKind::kTryStart, primary, chosen});
  if (!others_suffice) plan.push_back(prove);
  others.push_back(primary);
  for (const size_t node : others) plan.push_back({StepKind::kAwaitFollower, node, chosen});
  plan.push_back({StepKind::kDropOwnSlots, primary, chosen});
  plan.push_back({StepKind::kReconfigure, chosen, chosen});
  return plan;
}

}  // namespace fairlead::cluster
