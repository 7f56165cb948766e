// Which step comes after which when replicas join and leave, and when the rule about them changes.
// Pure.
#pragma once

#include "cluster/state.h"
#include "cluster/step.h"

namespace fairlead::cluster {

/// `state` has the new rule already. Each node's file names the others, so that whoever is promoted
/// goes on with it.
Plan plan_sync(const ClusterState& state, size_t primary);

/// The copy, up to where it streams.
Plan plan_add_replica(size_t node, size_t primary);
/// Its part as a member: from now on the others name it in their files.
Plan plan_admission(const ClusterState& state, size_t node, size_t primary);
/// First nobody counts on it any more, then it goes. In `state` it is no member already.
Plan plan_remove_replica(const ClusterState& state, size_t node, size_t primary);

}  // namespace fairlead::cluster
