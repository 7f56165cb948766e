// The write of `verify`: on the primary, in a schema of its own, until each replica shows it.
//
// Blocks its thread; the schema is gone when the object is, and when the process was killed the
// next one removes it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "cluster/cluster.h"

namespace fairlead::cluster {

/// What replicas show while it is there, and nobody compares.
inline constexpr const char* kVerifySchema = "fairlead_verify";

class VerifyWrite {
 public:
  /// Writes, without waiting for synchronous replicas: whether they have it is asked of them. An
  /// Error when another verify is at work, or somebody else has a schema of that name.
  static Result<VerifyWrite> make(const Cluster& cluster, const Node& primary,
                                  const StopFlag& stop);

  /// For each node, after how long it was seen there; an Error for one that did not show it within
  /// `patience`. Times are exact to a few milliseconds.
  std::vector<Result<Duration>> await(const std::vector<const Node*>& replicas,
                                      std::chrono::milliseconds patience);

  Result<void> remove();

 private:
  VerifyWrite(const Cluster& cluster, SqlConnection primary, const StopFlag& stop)
      : cluster_(&cluster), primary_(std::move(primary)), stop_(&stop) {}

  const Cluster* cluster_;
  SqlConnection primary_;
  const StopFlag* stop_;
  std::string word_;  // What the row says: no other verify's.
  std::chrono::steady_clock::time_point written_at_;
};

}  // namespace fairlead::cluster
