// `fairlead cluster sync`: how many replicas a commit waits for, changed while everything runs.
#pragma once

#include <string>

#include "base/error.h"
#include "cluster/cluster.h"
#include "cluster/progress.h"
#include "cluster/sync_rule.h"

namespace fairlead::cluster {

/// Brings the rule into force on every node, and sees on the primary that enough replicas count
/// (E10). A rule that would make commits wait for replicas that are not there is refused, and
/// whatever fails on the way is taken back (E11). Returns the cluster as it is then.
Result<Cluster> change_sync(const std::string& dir, const SyncRule& rule, ProgressSink& progress,
                            const StopFlag& stop);

/// What change_sync would do as the nodes are now. Changes nothing.
Result<std::string> describe_change_sync(const std::string& dir, const SyncRule& rule);

}  // namespace fairlead::cluster
