// Loading a cluster, and its connection strings.
#include "cluster/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cluster/files.h"
#include "cluster/postmaster.h"

namespace fairlead::cluster {

std::string_view to_string(Role role) { return role == Role::kPrimary ? "primary" : "replica"; }

std::string Node::address() const {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

const Node* Cluster::primary() const {
  const auto found = std::ranges::find(nodes, Role::kPrimary, &Node::role);
  return found == nodes.end() ? nullptr : &*found;
}

std::vector<const Node*> Cluster::replicas() const {
  std::vector<const Node*> out;
  for (const Node& node : nodes)
    if (node.role == Role::kReplica) out.push_back(&node);
  return out;
}

const Node* Cluster::find(std::string_view name) const {
  const auto found = std::ranges::find(nodes, name, &Node::name);
  return found == nodes.end() ? nullptr : &*found;
}

Endpoint Cluster::as_superuser(const Node& node, const std::string& database) const {
  return {node.host, node.port, state.spec.superuser, state.secrets.superuser,
          database.empty() ? state.spec.database : database};
}

Endpoint Cluster::as_monitor(const Node& node) const {
  return {node.host, node.port, state.spec.monitor_user, state.secrets.monitor,
          state.spec.database};
}

Endpoint Cluster::as_replicator(const Node& node) const {
  return {node.host, node.port, state.spec.replication_user, state.secrets.replication,
          state.spec.database};
}

Endpoint Cluster::as_application(const Node& node) const {
  if (state.spec.application_user.empty()) return as_superuser(node);
  return {node.host, node.port, state.spec.application_user, state.secrets.application,
          state.spec.database};
}

Cluster cluster_of(ClusterState state) {
  Cluster cluster{std::move(state), {}};
  const Layout layout(cluster.state.spec.dir);
  for (const NodeState& node : cluster.state.nodes) {
    const std::string data = layout.data_dir(node.name);
    // A copy that is not finished has no standby.signal yet, and without data nothing comes up.
    const bool replica = is_standby(data) || node.standing == Standing::kJoining || !has_data(data);
    cluster.nodes.push_back({node.name, replica ? Role::kReplica : Role::kPrimary, node.standing,
                             cluster.state.spec.host, node.port, data, layout.log_file(node.name)});
  }
  // Where everybody else is a replica, the one whose data is gone was the primary.
  if (cluster.primary() == nullptr) {
    std::vector<Node*> without_data;
    for (Node& node : cluster.nodes)
      if (node.standing == Standing::kMember && !has_data(node.data_dir))
        without_data.push_back(&node);
    if (without_data.size() == 1) without_data.front()->role = Role::kPrimary;
  }
  return cluster;
}

Result<ClusterState> read_state(const Layout& layout) {
  const auto text = read_file(layout.state_file());
  if (!text) return std::unexpected(text.error());
  auto state = state_from_json(*text);
  // Everything below takes its paths from the state: a moved folder must not lead back to the old
  // place.
  if (state && state->spec.dir != layout.dir())
    return fail(ErrorCode::kIo,
                fmt::format("the cluster in {} was made in {}", layout.dir(), state->spec.dir),
                "the folder was moved or copied, and PostgreSQL's files name the old place",
                "move it back, or remove it with destroy");
  return state;
}

Durability durability_of(const ClusterSpec& spec) {
  return spec.throw_away ? Durability::kFast : Durability::kSynced;
}

Result<void> write_state(const Layout& layout, const ClusterState& state) {
  return write_file(layout.state_file(), to_json(state), 0600, nullptr, durability_of(state.spec));
}

Result<std::string> canonical_dir(const std::string& dir) {
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(dir, error);
  if (!error) path = std::filesystem::weakly_canonical(path, error);
  if (error) return fail_errno("find the folder", dir, error.value());
  std::string out = path.string();
  while (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

std::string cluster_name(const std::string& dir) {
  const std::string path = canonical_dir(dir).value_or(dir);
  return path.substr(path.rfind('/') + 1);
}

Result<Cluster> load(const std::string& dir) {
  const auto path = canonical_dir(dir);
  if (!path) return std::unexpected(path.error());
  const Layout layout(*path);
  if (!exists(layout.marker()))
    return fail(ErrorCode::kIo, fmt::format("{} is not a cluster made by fairlead", *path),
                fmt::format("there is no {}", layout.marker()),
                "make one with `fairlead cluster create`");
  if (!exists(layout.state_file()))
    return fail(ErrorCode::kIo, fmt::format("the cluster in {} is unfinished", *path),
                "its state file is missing", "finish it with create, or remove it with destroy");
  auto state = read_state(layout);
  if (!state) return std::unexpected(state.error());
  if (state->phase == Phase::kCreating)
    return fail(ErrorCode::kIo, fmt::format("the cluster in {} is unfinished", *path),
                "its creation was interrupted", "finish it with create, or remove it with destroy");
  if (state->phase == Phase::kDestroying)
    return fail(ErrorCode::kIo, fmt::format("the cluster in {} is half destroyed", *path), {},
                "remove the rest with destroy");
  return cluster_of(std::move(*state));
}

}  // namespace fairlead::cluster
