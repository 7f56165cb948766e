// What the nodes of a cluster say about themselves now, as rows for people and machines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/lsn.h"
#include "cluster/cluster.h"

namespace fairlead::cluster {

struct StatusRow {
  std::string name;
  Role role = Role::kPrimary;  // The node's own word when it answers, else what its files say.
  std::string state;  // running, streaming, not streaming, replay paused, stopped, not answering
  std::string host;
  uint16_t port = 0;
  uint32_t timeline = 0;           // 0: unknown.
  std::optional<Lsn> receive_lsn;  // Replicas: what arrived and is on disk.
  std::optional<Lsn> replay_lsn;   // Replicas: what reads can see. The primary: its own position.
  std::optional<uint64_t>
      lag_bytes;  // Replicas: how far replay is behind the primary; unknown without one.

  bool operator==(const StatusRow&) const = default;
};

/// Asks every node in turn; one that hangs costs two seconds.
std::vector<StatusRow> ask_nodes(const Cluster& cluster);

/// A table with a line of headings. Pure.
std::string render_status(const std::vector<StatusRow>& rows);

/// An array of objects; what is unknown is null, positions are texts like "0/3000060". Pure.
std::string status_json(const std::vector<StatusRow>& rows);

}  // namespace fairlead::cluster
