// A cluster that exists on disk: its nodes, and how to connect to each of them in each role.
//
// A snapshot of the files at the moment of load(); it asks no server. A node's role here is the one
// that its data directory says it will come up with (standby.signal), which a promotion changes;
// one whose data is gone was the primary when all others are replicas; what a running node really
// is, status() asks the node itself.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "cluster/files.h"
#include "cluster/layout.h"
#include "cluster/sql_connection.h"
#include "cluster/state.h"

namespace fairlead::cluster {

enum class Role : uint8_t { kPrimary, kReplica };

std::string_view to_string(Role role);

struct Node {
  std::string name;
  Role role = Role::kPrimary;
  Standing standing = Standing::kMember;
  std::string host;
  uint16_t port = 0;
  std::string data_dir;
  std::string log_file;

  /// "127.0.0.1:5601", as the proxy's configuration names it.
  std::string address() const;
};

struct Cluster {
  ClusterState state;
  std::vector<Node> nodes;

  /// Null when every data directory is a standby's, as in the middle of a failover.
  const Node* primary() const;
  std::vector<const Node*> replicas() const;
  /// Null when there is no such node.
  const Node* find(std::string_view name) const;

  /// `database` empty: the cluster's own.
  Endpoint as_superuser(const Node& node, const std::string& database = {}) const;
  Endpoint as_monitor(const Node& node) const;
  Endpoint as_replicator(const Node& node) const;
  /// The application user, or the superuser when there is none.
  Endpoint as_application(const Node& node) const;
};

/// Reads a finished cluster. An unfinished, half destroyed or moved one is an Error that says what
/// to do.
Result<Cluster> load(const std::string& dir);

/// For the commands, which also work on unfinished ones.
Cluster cluster_of(ClusterState state);
Result<ClusterState> read_state(const Layout& layout);
Result<void> write_state(const Layout& layout, const ClusterState& state);
Durability durability_of(const ClusterSpec& spec);

/// Absolute and without links, as the kernel names the folder. Need not exist.
Result<std::string> canonical_dir(const std::string& dir);

/// What people call the cluster in a folder: the last part of the folder's path.
std::string cluster_name(const std::string& dir);

}  // namespace fairlead::cluster
