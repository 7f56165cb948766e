// Which step comes after which when replicas join and leave, and when the rule about them changes.
// Pure.
#pragma once

#include "cluster/state.h"
#include "cluster/step.h"

namespace fairlead::cluster {

/// `state` has the new rule already. Each node's file names the others, so that whoever is promoted
/// goes on with it.
Plan plan_sync(const ClusterState& state, size_t primary);

}  // namespace fairlead::cluster
