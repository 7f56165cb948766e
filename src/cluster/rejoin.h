// `fairlead cluster rejoin`: a node that parted from the primary, or fell too far behind it,
// follows it again.
//
// By pg_rewind, which is quick but needs the WAL of both since they parted; else by a new copy of
// all data. What the node had that nobody else has is lost with it. A rejoin that fails or is
// interrupted leaves the node out, as it was, perhaps without its data.
#pragma once

#include <string>

#include "base/error.h"
#include "cluster/open_cluster.h"

namespace fairlead::cluster {

struct RejoinRequest {
  std::string node;
  bool copy = false;  // A new copy at once, without trying pg_rewind.
};

struct Rejoin {
  enum class Method : uint8_t { kNone, kRewind, kCopy };
  std::string node;
  std::string primary;
  Method method = Method::kNone;  // kNone: it streams already.
  std::string reason = {};        // Why a copy was needed.
};

Result<Rejoin> rejoin(const std::string& dir, const RejoinRequest& request, ProgressSink& progress,
                      const StopFlag& stop);
/// On a cluster that is open.
Result<Rejoin> rejoin_in(OpenCluster& open, const RejoinRequest& request, ProgressSink& progress);

/// What rejoin would do. Changes nothing.
Result<std::string> describe_rejoin(const std::string& dir, const RejoinRequest& request);

}  // namespace fairlead::cluster
