// Waits until a replica keeps up with its primary.
#pragma once

#include <chrono>

#include "base/error.h"
#include "base/time.h"
#include "cluster/cluster.h"
#include "cluster/progress.h"

namespace fairlead::cluster {

/// Until `node` has replayed what the primary had flushed `max_lag` ago or later: then it is no
/// further behind than that, whatever the clocks say and whether anybody writes or not. Returns how
/// far behind it is at most. Blocks; fails after `timeout`, or when either does not answer.
Result<Duration> await_lag(const Cluster& cluster, size_t primary, size_t node,
                           std::chrono::milliseconds max_lag, std::chrono::milliseconds timeout,
                           const StopFlag& stop);

}  // namespace fairlead::cluster
