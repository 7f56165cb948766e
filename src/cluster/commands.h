// The commands of `fairlead cluster`, without a command line: create, start, stop, destroy, status.
//
// Each takes the cluster's lock for as long as it runs (status does not), blocks its thread, and
// leaves the cluster in a state that the next command understands, whatever happens to it: an
// Error, the stop flag, kill -9. Later: verify, add_replica, remove_replica, sync, promote,
// switchover, rejoin.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "cluster/cluster.h"
#include "cluster/progress.h"
#include "cluster/spec.h"
#include "cluster/status.h"

namespace fairlead::cluster {

/// Makes the cluster and leaves it running. In a folder where an earlier create with the same
/// options was interrupted, finishes that one: steps that are done stay, the one that was at work
/// is undone and done again. Refuses a folder that holds anything else.
Result<Cluster> create(const ClusterSpec& spec, ProgressSink& progress, const StopFlag& stop);

/// What create would do, for people. Changes nothing. Ports that the system would choose are
/// printed as 0.
Result<std::string> describe_create(const ClusterSpec& spec);

/// A node that was told to start, and did not.
struct FailedNode {
  std::string name;
  Error why;
};
struct Started {
  Cluster cluster;
  std::vector<FailedNode> failed;
};

/// Starts what is not running, the primary first. A node that does not start keeps no other one
/// down.
Result<Started> start_each(const std::string& dir, ProgressSink& progress, const StopFlag& stop);

/// The same, and an Error that names all that did not start.
Result<Cluster> start(const std::string& dir, ProgressSink& progress, const StopFlag& stop);

/// Stops what is running, the primary first, so that the replicas get everything it wrote.
Result<void> stop(const std::string& dir, ProgressSink& progress, const StopFlag& stop);

/// Ends the cluster's processes by force and removes its folder with everything in it. Works on
/// unfinished, damaged and half destroyed clusters, needs no PostgreSQL programs, and refuses every
/// folder without our marker.
Result<void> destroy(const std::string& dir, ProgressSink& progress, const StopFlag& stop);

Result<std::vector<StatusRow>> status(const std::string& dir);

}  // namespace fairlead::cluster
