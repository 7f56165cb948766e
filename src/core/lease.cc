#include "core/lease.h"

namespace fairlead::core {

LeaseCheck check_lease(Target target, const ServerState& server, Time opened_before,
                       const ClusterSnapshot& cluster) {
  const bool wants_standby = target == Target::kReplica;
  const bool is_primarys = cluster.primary == server.node && cluster.epoch == server.epoch;
  if (!wants_standby && !is_primarys) return LeaseCheck::kOutdated;
  if (server.in_hot_standby && *server.in_hot_standby != wants_standby)
    return LeaseCheck::kWrongRole;
  if (opened_before != Time{} && server.opened_at >= opened_before) return LeaseCheck::kTooNew;
  return LeaseCheck::kGood;
}

}  // namespace fairlead::core
