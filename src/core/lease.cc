#include "core/lease.h"

namespace fairlead::core {

LeaseCheck check_lease(Target target, const ServerState& server, Time opened_before,
                       const ClusterSnapshot& cluster) {
  const bool wants_standby = target == Target::kReplica;
  const bool is_primarys = cluster.primary == server.node && cluster.epoch == server.epoch;
  if (!wants_standby && !is_primarys) return LeaseCheck::kOutdated;
  if (server.in_hot_standby && *server.in_hot_standby != wants_standby)
    return LeaseCheck::kWrongRole;
  const int64_t known = cluster.node(server.node).postmaster_started_us;
  if (known != 0 && server.postmaster_started_us.value_or(known) != known)
    return LeaseCheck::kOtherNode;
  if (!wants_standby && cluster.holds_writes) return LeaseCheck::kHeld;
  if (opened_before != Time{} && server.opened_at >= opened_before) return LeaseCheck::kTooNew;
  return LeaseCheck::kGood;
}

FailedLogin judge_failed_login(Target target, std::string_view sqlstate, bool server_said) {
  if (!server_said) {
    // Without credentials for what the server asks, no other node and no waiting is of use.
    const bool is_ours = sqlstate.starts_with("28") || sqlstate == "0A000";
    return {.is_nodes_trouble = !is_ours, .may_go_on = !is_ours};
  }
  const bool is_leaving = sqlstate == "57P03" || sqlstate == "57P01";
  const bool is_full = sqlstate.starts_with("53");
  return {.is_nodes_trouble = is_leaving,
          .may_go_on = is_leaving || is_full || target == Target::kReplica};
}

bool is_superseded(Target target, const ServerState& server, const ClusterSnapshot& cluster) {
  return target == Target::kPrimary && server.epoch != cluster.epoch;
}

}  // namespace fairlead::core
