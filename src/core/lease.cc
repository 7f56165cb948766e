#include "core/lease.h"

namespace fairlead::core {

LeaseCheck check_lease(Target target, const ServerState& server, Time opened_before) {
  const bool wants_standby = target == Target::kReplica;
  if (server.in_hot_standby && *server.in_hot_standby != wants_standby)
    return LeaseCheck::kWrongRole;
  if (opened_before != Time{} && server.opened_at >= opened_before) return LeaseCheck::kTooNew;
  return LeaseCheck::kGood;
}

}  // namespace fairlead::core
