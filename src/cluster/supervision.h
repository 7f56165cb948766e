// What a supervisor does about what it sees of a cluster on one host. Pure.
//
// The order of ways to get a primary back is decided by what may be lost (docs/decisions: which
// node goes on after a crash): a promotion that provably loses nothing comes first, a restart in
// place, which loses nothing either, comes before one that may.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/operation.h"

namespace fairlead::cluster {

/// A node as it looks now.
struct NodeSight {
  bool is_primary = false;
  Standing standing = Standing::kMember;
  bool runs = false;
  int failed_probes = 0;  // In a row.
  bool may_try = true;    // False: the last attempt at it failed a short while ago.
};

/// One failed probe is a hiccup; three in a row, each with its deadline, are a hang (E7).
inline constexpr int kFailedProbesMax = 3;

struct Need {
  enum class Kind : uint8_t {
    kNothing,
    kPrimary,  // The primary is gone or hangs.
    kReplica,  // A replica does.
    kRejoin,   // A node is out, and there is a primary that it could follow.
  };
  Kind kind = Kind::kNothing;
  size_t node = 0;

  bool operator==(const Need&) const = default;
};

/// The primary first, then replicas, because commits may wait for them, then who is out.
Need most_urgent(const std::vector<NodeSight>& nodes);

enum class Way : uint8_t {
  kPromote,        // If that loses no acknowledged commit.
  kPromoteAnyway,  // Also if it may, because replication is asynchronous.
  kRestart,        // In place: everything that was acknowledged is on its disk.
};

struct Policy {
  bool failover = false;  // Else only restarts.
  bool has_replicas = false;
  bool commits_wait = false;                   // For replicas: synchronous replication.
  std::chrono::milliseconds restart_limit{0};  // 0: no restart before a promotion.
};

/// A primary that dies more often than this within the window is not restarted once more.
inline constexpr int kDeathsMax = 3;
inline constexpr std::chrono::seconds kDeathsWindow{60};

/// What is tried, one after the other. `deaths`: of the primary within the window, this one
/// included.
std::vector<Way> ways_to_a_primary(const Policy& policy, int deaths);

}  // namespace fairlead::cluster
