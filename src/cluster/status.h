// What the nodes of a cluster say about themselves now, for whoever shows or judges it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/lsn.h"
#include "base/time.h"
#include "cluster/cluster.h"

namespace fairlead::cluster {

struct StatusRow {
  std::string name;
  Role role = Role::kPrimary;  // The node's own word when it answers, else what its files say.
  std::string state;  // running, streaming, not streaming, replay paused, starting, stopped, not
                      // answering; superseded, for a primary that a newer one has replaced; needs
                      // rejoin, joining: it does not run, and is no member for now.
  std::string host;
  uint16_t port = 0;
  std::string system_identifier;   // Empty: unknown.
  uint32_t timeline = 0;           // 0: unknown.
  std::string sync_state;          // Replicas, as the primary sees them: sync, quorum, potential,
                                   // async; empty where it does not see the node.
  std::optional<Lsn> receive_lsn;  // Replicas: what arrived and is on disk.
  std::optional<Lsn> replay_lsn;   // Replicas: what reads can see. The primary: its own position.
  // Replicas of the primary's timeline: how far behind it they are; unknown without a primary.
  std::optional<uint64_t> receive_lag_bytes;
  std::optional<uint64_t> lag_bytes;  // Replay.
  /// Replay: at most so long, because an idle primary makes the last transaction look old.
  std::optional<Duration> lag_time;

  bool answers() const { return replay_lsn.has_value(); }
  bool operator==(const StatusRow&) const = default;
};

/// Asks every node in turn; one that hangs costs two seconds.
std::vector<StatusRow> ask_nodes(const Cluster& cluster);

/// The row of the node that is the primary now; null when none answers. Of two that say so, the
/// one on the higher timeline is the newer (E2), and where they are equal none is. Pure.
const StatusRow* primary_of(const std::vector<StatusRow>& rows);

/// What the primary says of those that it sends WAL to: application_name and sync_state.
using SyncStates = std::map<std::string, std::string>;

/// Fills in what only a look at all the nodes can tell: lags, sync states, superseded primaries.
/// Pure.
void compare_with_primary(std::vector<StatusRow>& rows, const SyncStates& sync_states);

}  // namespace fairlead::cluster
