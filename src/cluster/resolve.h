// Fills in what the machine decides about a new cluster: programs, the servers' user, passwords.
#pragma once

#include <vector>

#include "base/error.h"
#include "cluster/os_user.h"
#include "cluster/state.h"

namespace fairlead::cluster {

/// A checked spec with nothing empty that the machine decides, and what was learned on the way.
struct ResolvedSpec {
  ClusterSpec spec;
  uint32_t pg_major = 0;
  OsUser user;
};

/// Changes nothing on the machine.
Result<ResolvedSpec> resolve(ClusterSpec spec);

/// The user that runs the servers of a cluster that exists.
Result<OsUser> servers_user(const ClusterSpec& spec);

/// A new cluster's state: node1 to node N+1, no ports yet, fresh passwords from the system.
Result<ClusterState> new_state(const ResolvedSpec& resolved);

}  // namespace fairlead::cluster
