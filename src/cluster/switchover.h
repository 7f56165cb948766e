// `fairlead cluster switchover`: a replica takes the primary's place while both work, and no client
// sees an error (E26).
//
// New transactions are held (every proxy in front of the cluster sees the primary's own setting
// with its probes, and shows that it holds), running ones end, the primary is shut down, the
// replica has all of its WAL and becomes the primary, and the old one follows it. Until the
// promotion everything can be taken back, and is, when somebody stays at work too long.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "cluster/open_cluster.h"

namespace fairlead::cluster {

struct SwitchoverRequest {
  std::string to = {};  // Empty: the replica that has replayed the most.
  std::chrono::milliseconds timeout = std::chrono::seconds(10);  // For running transactions.
};

struct Switchover {
  std::string node;
  std::string old_primary;
  Duration pause{};  // From the hold to the first commit on the new primary.
  std::vector<std::string> followers = {};
  std::vector<std::string> need_rejoin = {};  // Who could not follow.
};

Result<Switchover> switchover(const std::string& dir, const SwitchoverRequest& request,
                              ProgressSink& progress, const StopFlag& stop);

/// What switchover would do. Changes nothing.
Result<std::string> describe_switchover(const std::string& dir, const SwitchoverRequest& request);

}  // namespace fairlead::cluster
