#include "core/read_floor.h"

#include <algorithm>

namespace fairlead::core {
namespace {

/// The primary's position, sampled after `moment`. A sample that began before it says nothing
/// (D11).
ReadFloor floor_after(Time moment, const PrimaryPosition& position) {
  if (moment == Time{}) return {};
  if (position.sampled_at <= moment) return {.pending = true};
  return {.lsn = position.lsn, .pending = false};
}

bool is_satisfied(const NodeStatus& node, const ReadFloor& floor) {
  return !floor.pending && node.replay_lsn >= floor.lsn;
}

}  // namespace

void set_floors(sql::ReadConsistency level, const ReadHistory& history,
                const PrimaryPosition& position, ReadNeeds& needs) {
  needs.floor = {};
  needs.same_node.reset();
  switch (level) {
    case sql::ReadConsistency::kEventual:
      return;
    case sql::ReadConsistency::kSession: {
      const LastAnswer& answered = history.answered;
      needs.floor = floor_after(std::max(history.own_write, answered.at), position);
      if (answered.at == Time{}) return;
      needs.same_node = {.node = answered.node,
                         .floor = floor_after(history.own_write, position),
                         .opened_before = answered.at};
      return;
    }
    case sql::ReadConsistency::kApp:
      needs.floor = floor_after(history.others_write, position);
      return;
    case sql::ReadConsistency::kStrict:
      needs.floor = floor_after(history.arrived, position);
      return;
  }
}

ReadFloor higher_floor(const ReadFloor& a, const ReadFloor& b) {
  return {.lsn = std::max(a.lsn, b.lsn), .pending = a.pending || b.pending};
}

Time opened_before(const ClusterSnapshot& cluster, const ReadNeeds& needs, NodeIndex node) {
  if (cluster.primary == node) return {};
  const NodeStatus& status = cluster.node(node);
  const bool is_same = needs.same_node && needs.same_node->node == node;
  const ReadFloor& floor =
      is_same && !is_satisfied(status, needs.floor) ? needs.same_node->floor : needs.floor;
  const Time observed = floor.lsn ? status.observed_started_at : Time{};
  if (&floor == &needs.floor) return observed;
  const Time shown = needs.same_node->opened_before;
  return observed == Time{} ? shown : std::min(shown, observed);
}

}  // namespace fairlead::core
