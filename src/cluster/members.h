// `fairlead cluster add-replica` and `remove-replica`.
//
// Both are operations with a record (open_cluster.h): an addition that is interrupted or fails
// leaves no half-made node behind, and a removal goes on once the node's slot was dropped.
#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "cluster/cluster.h"
#include "cluster/progress.h"

namespace fairlead::cluster {

struct AddReplicaRequest {
  std::string name = {};  // Empty: the first of node1, node2 ... that is free.
  uint16_t port = 0;      // 0: above the others where the cluster has a base port, else a free one.
  std::chrono::milliseconds max_lag{10'000};     // It is ready when it is no further behind ...
  std::chrono::milliseconds timeout{3'600'000};  // ... which it has so long for, once it runs.
};

struct AddedReplica {
  std::string name;
  Cluster cluster;
};

/// Clones the primary, starts the replica, waits until it keeps up, and only then lets commits
/// count on it.
Result<AddedReplica> add_replica(const std::string& dir, const AddReplicaRequest& request,
                                 ProgressSink& progress, const StopFlag& stop);
Result<std::string> describe_add_replica(const std::string& dir, const AddReplicaRequest& request);

/// Removes a replica with its slot and its data. Refused for the primary, and where the rule of
/// synchronous replication would make commits wait for ever.
Result<Cluster> remove_replica(const std::string& dir, const std::string& node,
                               ProgressSink& progress, const StopFlag& stop);
Result<std::string> describe_remove_replica(const std::string& dir, const std::string& node);

}  // namespace fairlead::cluster
