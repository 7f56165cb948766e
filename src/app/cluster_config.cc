#include "app/cluster_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "cluster/files.h"
#include "cluster/layout.h"
#include "config/field.h"

namespace fairlead::app {
namespace {

constexpr std::string_view kNodesKey = "\nnodes = ";

/// Where the line of the nodes stands, up to its end.
std::optional<std::pair<size_t, size_t>> nodes_line(std::string_view text) {
  const size_t at = text.find(kNodesKey);
  if (at == std::string_view::npos) return std::nullopt;
  return std::pair{at, text.find('\n', at + 1)};
}

std::string proxy_toml(const cluster::Cluster& cluster) {
  return "# For fairlead up -c. By fairlead cluster create; add-replica and remove-replica change "
         "nodes\n# for as long as nothing else is changed here.\n" +
         cluster_toml(cluster, cluster::Layout(cluster.state.spec.dir).users_file());
}

}  // namespace

std::string cluster_toml(const cluster::Cluster& cluster, const std::string& users_file) {
  std::vector<std::string> nodes;
  for (const cluster::Node& node : cluster.nodes)
    nodes.push_back(fmt::format("\"{}\"", node.address()));
  const cluster::Endpoint monitor = cluster.as_monitor(cluster.nodes.front());
  return fmt::format(
      R"([cluster.main]
nodes = [{}]
monitor_user = "{}"
monitor_password = "{}"

[auth]
users_file = {}
)",
      fmt::join(nodes, ", "), monitor.user, monitor.password, config::quoted(users_file));
}

std::string users_text(const cluster::Cluster& cluster) {
  const cluster::Endpoint application = cluster.as_application(cluster.nodes.front());
  return fmt::format("\"{}\" \"{}\"\n", application.user, application.password);
}

Result<void> write_proxy_files(const cluster::Cluster& cluster) {
  const cluster::Layout layout(cluster.state.spec.dir);
  if (auto wrote = cluster::write_file(layout.users_file(), users_text(cluster), 0600, nullptr);
      !wrote)
    return wrote;
  return cluster::write_file(layout.config_file(), proxy_toml(cluster), 0600, nullptr);
}

bool same_but_for_nodes(std::string_view one, std::string_view other) {
  const auto line = nodes_line(one);
  const auto others = nodes_line(other);
  if (!line || !others) return false;
  return one.substr(0, line->first) == other.substr(0, others->first) &&
         one.substr(std::min(line->second, one.size())) ==
             other.substr(std::min(others->second, other.size()));
}

Result<bool> renew_proxy_nodes(const cluster::Cluster& cluster) {
  const std::string path = cluster::Layout(cluster.state.spec.dir).config_file();
  if (!cluster::exists(path)) return false;
  const auto text = cluster::read_file(path);
  if (!text) return std::unexpected(text.error());
  const std::string renewed = proxy_toml(cluster);
  if (!same_but_for_nodes(*text, renewed)) return false;
  if (auto wrote = cluster::write_file(path, renewed, 0600, nullptr); !wrote)
    return std::unexpected(wrote.error());
  return true;
}

}  // namespace fairlead::app
