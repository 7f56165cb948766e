// `fairlead cluster up`: watches the servers of a cluster on this host and brings back what is
// gone.
//
// The end of a process is seen at once, a hang by failed probes. What it does itself it does
// through the same operations as the commands, under the cluster's lock, so that both can work on
// one cluster; a cluster that is stopped or destroyed by a command ends it. It knows this host
// only: where a host can be lost, an election among several is needed, and that is Patroni's
// business.
#pragma once

#include <chrono>
#include <string>

#include "base/error.h"
#include "cluster/progress.h"

namespace fairlead::cluster {

struct SupervisorOptions {
  std::string dir;
  bool failover = false;
  /// How long a primary may take to come up in place before a replica is promoted that may lack
  /// commits.
  std::chrono::milliseconds restart_limit = std::chrono::seconds(10);
};

struct SupervisorEvent {
  std::string kind;  // watching, lost, promoted, restarted, rejoined, failed, note, ended
  std::string node;  // Empty: the cluster.
  std::string text;
};

class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void happened(const SupervisorEvent& event) = 0;
};

/// Starts what does not run and watches until the stop flag is set; the servers then go on. An
/// Error only when it cannot begin: a node that does not start is an event like those later.
Result<void> supervise(const SupervisorOptions& options, EventSink& events, const StopFlag& stop);

}  // namespace fairlead::cluster
