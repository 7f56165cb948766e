// What somebody asks `fairlead cluster create` for, checked without touching the machine. Pure.
//
// What the machine adds (binaries, ports, passwords) is resolve.h; what is then on disk is
// state.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/error.h"
#include "cluster/sync_rule.h"

namespace fairlead::cluster {

struct ClusterSpec {
  std::string dir;           // Everything of the cluster lies below it.
  int replicas = 2;          // 0 to kReplicasMax.
  std::string pg_bin = "";   // Folder of initdb and the others. Empty: the newest version found.
  std::string os_user = "";  // Who runs the servers. Empty: postgres when root, else oneself.
  std::string host = "127.0.0.1";  // The one address of all nodes, as a number.
  uint16_t base_port = 0;          // node1 listens here, node2 one above ... 0: free ports.
  std::string database = "app";
  std::string superuser = "postgres";
  std::string monitor_user = "fairlead";  // LOGIN, member of pg_monitor: for the proxy's probes.
  std::string replication_user = "replicator";  // LOGIN REPLICATION: for the replicas only.
  std::string application_user = "";            // Owns the database. Empty: the superuser does.
  std::map<std::string, std::string> settings =
      {};              // PostgreSQL settings, after ours, so they win.
  SyncRule sync = {};  // How many replicas a commit waits for.
  bool throw_away =
      false;  // Demo and tests: survives kill -9, not a power cut (fsync off), but fast.

  bool operator==(const ClusterSpec&) const = default;
};

/// A single machine with more nodes than this is a mistake; each also costs WAL senders and slots.
inline constexpr int kReplicasMax = 16;

/// sun_path holds 108 bytes with its zero (unix(7)); PostgreSQL refuses longer socket paths.
inline constexpr size_t kSocketPathMax = 107;

/// Refuses what could not work, or could be read as something else by PostgreSQL's files: role
/// names are letters, digits and underscores; the host is a number; settings have no line breaks;
/// the dir is absolute and short enough for Unix sockets inside it.
Result<void> check(const ClusterSpec& spec);

/// The name of a node is also that of its folder, its slot and its role in the primary's settings.
Result<void> check_node_name(const std::string& name);

/// Whether `text` is an IPv4 or IPv6 address in figures.
bool is_numeric_address(const std::string& text);

}  // namespace fairlead::cluster
