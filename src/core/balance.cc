#include "core/balance.h"

#include <algorithm>

#include "base/assert.h"

namespace fairlead::core {

NodeIndex Balancer::next_in_turn(std::span<const Candidate> candidates, uint32_t in_use_max) {
  const Candidate* chosen = nullptr;
  for (const Candidate& candidate : candidates) {
    if (candidate.in_use > in_use_max) continue;
    bool is_turn = static_cast<uint32_t>(candidate.node) >= turn_;
    if (!chosen || is_turn)
      chosen = &candidate;  // The first of all, until one at or after the turn.
    if (is_turn) break;
  }
  require(chosen != nullptr, "there is somebody to choose from");
  turn_ = static_cast<uint32_t>(chosen->node) + 1;
  return chosen->node;
}

NodeIndex Balancer::pick(std::span<const Candidate> candidates, std::optional<NodeIndex> kept,
                         uint64_t random_word) {
  require(!candidates.empty(), "there is somebody to choose from");
  switch (method_) {
    case BalanceMethod::kRoundRobin:
      return next_in_turn(candidates, UINT32_MAX);
    case BalanceMethod::kRandom: {
      // Multiply and shift: no division, and a bias below 2^-16 for any number of nodes.
      uint64_t index = (random_word >> 32) * candidates.size() >> 32;
      return candidates[index].node;
    }
    case BalanceMethod::kLeastBusy: {
      auto least = std::ranges::min(candidates, {}, &Candidate::in_use);
      return next_in_turn(candidates, least.in_use);
    }
    case BalanceMethod::kSticky:
      if (kept && std::ranges::find(candidates, *kept, &Candidate::node) != candidates.end())
        return *kept;
      return next_in_turn(candidates, UINT32_MAX);
  }
  unreachable("every BalanceMethod picks");
}

std::string_view to_string(NoReplica reason) {
  switch (reason) {
    case NoReplica::kSnapshotStale:
      return "the nodes were not looked at recently enough";
    case NoReplica::kNoneUsable:
      return "no replica is usable";
    case NoReplica::kAllLag:
      return "every usable replica is further behind than max_lag";
    case NoReplica::kFloorPending:
      return "the position of the last commit is not known yet";
    case NoReplica::kAllBehindFloor:
      return "no replica has replayed the last commit yet";
  }
  unreachable("every NoReplica has a text");
}

std::optional<NoReplica> why_not(const NodeStatus& node, NodeIndex index, const ReadNeeds& needs) {
  if (!node.usable_for_reads) return NoReplica::kNoneUsable;
  if (node.role == NodeRole::kPrimary) {
    // It is its own measure of freshness.
    return needs.primary_reads ? std::nullopt : std::optional(NoReplica::kNoneUsable);
  }
  if (needs.max_lag && !within(node.lag, *needs.max_lag)) return NoReplica::kAllLag;
  const bool is_same = needs.same_node && needs.same_node->node == index;
  if (is_same && !needs.same_node->floor.pending && node.replay_lsn >= needs.same_node->floor.lsn)
    return std::nullopt;
  if (needs.floor.pending) return NoReplica::kFloorPending;
  if (node.replay_lsn < needs.floor.lsn) return NoReplica::kAllBehindFloor;
  return std::nullopt;
}

Freshness find_eligible(const ClusterSnapshot& snapshot, const ReadNeeds& needs,
                        std::span<const uint32_t> in_use, Time now,
                        std::span<Candidate> candidates) {
  require(in_use.size() == snapshot.nodes.size() && candidates.size() >= snapshot.nodes.size(),
          "one element per node");
  if (now - snapshot.decided_at > snapshot.age_max) return UsePrimary{NoReplica::kSnapshotStale};

  // The enumerators of NoReplica rise with how near the node came: the last one is the answer.
  NoReplica nearest_miss = NoReplica::kNoneUsable;
  std::optional<NodeIndex> nearest;
  uint64_t bytes = 0;
  Eligible eligible;
  for (size_t i = 0; i < snapshot.nodes.size(); ++i) {
    const NodeStatus& node = snapshot.nodes[i];
    NodeIndex index{static_cast<uint16_t>(i)};
    std::optional<NoReplica> miss = why_not(node, index, needs);
    if (!miss) {
      candidates[eligible.count++] = Candidate{index, in_use[i]};
      continue;
    }
    nearest_miss = std::max(nearest_miss, *miss);
    if (*miss != NoReplica::kAllBehindFloor) continue;
    uint64_t missing = needs.floor.lsn.value - node.replay_lsn.value;
    if (!nearest || missing < bytes) {
      nearest = index;
      bytes = missing;
    }
  }
  if (eligible.count > 0) return eligible;
  if (nearest_miss == NoReplica::kFloorPending || nearest_miss == NoReplica::kAllBehindFloor)
    return WaitForFreshness{nearest_miss, nearest, bytes};
  return UsePrimary{nearest_miss};
}

}  // namespace fairlead::core
