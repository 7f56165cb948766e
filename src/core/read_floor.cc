#include "core/read_floor.h"

#include <algorithm>

namespace fairlead::core {
namespace {

/// The primary's position of the first sample after `moment`. One that began before it says nothing
/// (D11).
ReadFloor floor_after(Time moment, const PositionSamples& positions) {
  if (moment == Time{}) return {};
  const auto lsn = positions.after(moment);
  return lsn ? ReadFloor{.lsn = *lsn, .pending = false} : ReadFloor{.pending = true};
}

bool is_satisfied(const NodeStatus& node, const ReadFloor& floor) {
  return !floor.pending && node.replay_lsn >= floor.lsn;
}

}  // namespace

void LastAnswer::note(NodeIndex by, Time server_opened_at, Time now) {
  const bool is_same = by == node && server_opened_at < at;
  if (at != Time{} && !is_same) elsewhere_at = at;
  node = by;
  at = now;
}

void set_floors(sql::ReadConsistency level, const ReadHistory& history,
                const PositionSamples& positions, ReadNeeds& needs) {
  needs.floor = {};
  needs.same_node.reset();
  switch (level) {
    case sql::ReadConsistency::kEventual:
      return;
    case sql::ReadConsistency::kSession: {
      const LastAnswer& answered = history.answered;
      needs.floor = floor_after(std::max(history.own_write, answered.at), positions);
      if (answered.at == Time{}) return;
      needs.same_node = {
          .node = answered.node,
          .floor = floor_after(std::max(history.own_write, answered.elsewhere_at), positions),
          .opened_before = answered.at};
      return;
    }
    case sql::ReadConsistency::kApp:
      needs.floor = floor_after(history.others_write, positions);
      return;
    case sql::ReadConsistency::kStrict:
      needs.floor = floor_after(history.arrived, positions);
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
