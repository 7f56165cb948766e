// What the decision about the primary means for each node: role, lag, and whether it serves reads.
#include <algorithm>

#include "base/assert.h"
#include "core/topology.h"

namespace fairlead::core {

std::string_view to_string(NodeRole role) {
  switch (role) {
    case NodeRole::kUnknown:
      return "unknown";
    case NodeRole::kPrimary:
      return "primary";
    case NodeRole::kReplica:
      return "replica";
    case NodeRole::kRefused:
      return "refused";
  }
  unreachable("every NodeRole has a text");
}

std::string ClusterSnapshot::why_no_primary() const {
  std::string why = alarm.empty() ? "no node has been proven to be the primary yet" : alarm;
  for (const NodeStatus& status : nodes)
    if (status.state != NodeState::kUp && !status.gone && !status.reason.empty())
      why += "; " + status.name + ": " + status.reason;
  if (!manager_trouble.empty()) why += "; " + manager_trouble;
  return why;
}

std::optional<Lsn> ClusterSnapshot::lost_above(Time wrote_at, uint64_t since_epoch) const {
  // What has survived the first succession lies below where the timelines after it were left.
  for (const Succession& next : successions) {
    if (next.epoch <= since_epoch) continue;
    return wrote_at < next.kept_until ? std::nullopt : std::optional(next.left_at);
  }
  return std::nullopt;
}

NodeStatus Topology::status_of(const NodeView& view, bool is_primary, Time now) const {
  NodeStatus status;
  status.name = view.name;
  status.host = view.host;
  status.port = view.port;
  status.state = view.state;
  status.role = role_of(view, is_primary, now);
  status.reason = why_no_reads(view, status.role, now);
  status.usable_for_reads = status.reason.empty();
  status.gone = view.gone;
  if (!view.last) return status;

  const NodeObservation& seen = *view.last;
  status.timeline = seen.timeline;
  status.server_version = seen.server_version;
  status.postmaster_started_us = seen.postmaster_started_us;
  status.replay_lsn = seen.in_recovery ? seen.replay_lsn : seen.flush_lsn;
  status.receive_lsn = seen.receive_lsn;
  status.observed_started_at = seen.observed_started_at;
  status.observed_at = seen.observed_at;
  if (const NodeMemory* memory = find_memory(view.name)) status.incarnation = memory->incarnation;
  if (is_primary) {
    status.lag = {Lag::Known::kAtMost, 0, Duration::zero()};
  } else if (status.role == NodeRole::kReplica && seen.timeline == timeline_) {
    // Positions of different timelines are not compared (D20).
    status.lag = lag_clock_.lag_of(seen.replay_lsn, has_primary_ ? now : lag_clock_.newest_at());
  }
  return status;
}

NodeRole Topology::role_of(const NodeView& view, bool is_primary, Time now) const {
  if (is_primary) return NodeRole::kPrimary;
  if (!view.last) return NodeRole::kUnknown;
  // An old answer still tells a replica from the rest; that a node accepted writes once tells
  // nothing.
  if (!is_evidence(view, now))
    return view.last->in_recovery ? NodeRole::kReplica : NodeRole::kUnknown;
  bool is_ours = system_ != 0 && view.last->system_identifier == system_;
  return is_ours && view.last->in_recovery ? NodeRole::kReplica : NodeRole::kRefused;
}

std::string Topology::why_no_reads(const NodeView& view, NodeRole role, Time now) const {
  if (view.gone) return "is not in the list of nodes any more";
  if (!view.last || view.state == NodeState::kDown)
    return view.health_reason.empty() ? "has not answered" : std::string(view.health_reason);
  const NodeObservation& seen = *view.last;
  if (!is_evidence(view, now)) {
    auto age = std::chrono::duration_cast<std::chrono::seconds>(now - seen.observed_at);
    return "gave its last answer " + std::to_string(age.count()) + " s ago";
  }
  if (role == NodeRole::kPrimary) return {};
  if (role == NodeRole::kRefused) return why_refused(seen);
  if (seen.timeline == 0) return "does not say which timeline it follows";
  if (!view.kept_from_reads.empty()) return std::string(view.kept_from_reads);
  // E2, E13: only the chosen timeline. Before any primary was seen, the highest one.
  uint32_t expected = timeline_ != 0 ? timeline_ : timeline_seen_;
  if (seen.timeline != expected)
    return "follows timeline " + std::to_string(seen.timeline) + ", the cluster is on " +
           std::to_string(expected);
  return {};
}

std::string Topology::why_refused(const NodeObservation& seen) const {
  if (system_ == 0) return "is refused: it is not clear which cluster is meant";
  if (seen.system_identifier != system_)
    return "belongs to another cluster (system identifier " +
           std::to_string(seen.system_identifier) + ", expected " + std::to_string(system_) + ")";
  if (seen.timeline < std::max(timeline_, timeline_seen_))
    return "is an old primary that came back on timeline " + std::to_string(seen.timeline) +
           " (the cluster is on " + std::to_string(std::max(timeline_, timeline_seen_)) +
           "): stop it and rejoin it as a replica";
  return "accepts writes, but is not proven to be the primary";
}

}  // namespace fairlead::core
