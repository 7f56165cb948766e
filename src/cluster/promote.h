// `fairlead cluster promote`: another node becomes the primary, for good and at once.
//
// The old primary is fenced first, the replicas are compared when nothing moves any more, and the
// most advanced one is promoted if that loses nothing that was acknowledged (E10, E12; election.h).
// A promotion that is refused or fails on the way is taken back, up to the moment of promotion;
// behind that the next command finishes it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "cluster/open_cluster.h"

namespace fairlead::cluster {

struct PromoteRequest {
  std::string node = {};  // Empty: the most advanced replica.
  bool allow_loss = false;
};

/// What became of the cluster.
struct Promotion {
  std::string node;
  std::string old_primary;
  bool nothing_lost = false;
  std::string reason;                    // Why nothing is lost, or what may be.
  std::vector<std::string> followers;    // They stream from the new primary.
  std::vector<std::string> need_rejoin;  // The old primary, and who could not follow.
  bool commits_wait = false;  // Too few replicas are left for the rule: commits wait for a rejoin.
};

Result<Promotion> promote(const std::string& dir, const PromoteRequest& request,
                          ProgressSink& progress, const StopFlag& stop);

/// What promote would do as the replicas are now. Changes nothing.
Result<std::string> describe_promote(const std::string& dir, const PromoteRequest& request);

/// The same on a cluster that is open; for whoever has fenced the old primary by force already.
Result<Promotion> promote_in(OpenCluster& open, const PromoteRequest& request,
                             ProgressSink& progress, const StopFlag& stop);

}  // namespace fairlead::cluster
