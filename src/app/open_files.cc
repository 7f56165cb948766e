#include "app/open_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/open_files.h"

namespace fairlead::app {
namespace {

uint64_t servers_of_one_user(const config::Config& config) {
  uint64_t servers = 0;
  for (const auto& [name, database] : config.databases) {
    const config::Cluster& cluster = config.cluster_of(database);
    // Where Patroni tells the nodes, each has an address of its REST API.
    servers += database.pool_size * std::max(cluster.nodes.size(), cluster.patroni_urls.size());
  }
  return servers;
}

}  // namespace

uint64_t open_files_wanted(const config::Config& config) {
  return config.proxy.max_client_connections + servers_of_one_user(config) + core::kFilesKeptMax;
}

std::optional<std::string> open_files_warning(const config::Config& config, uint64_t files_max) {
  const uint64_t wanted = open_files_wanted(config);
  if (wanted <= files_max) return std::nullopt;
  return fmt::format(
      "this process may have {} open files, and {} clients (proxy.max_client_connections) with "
      "their servers want {}: clients that come too late are refused with SQLSTATE 53300; raise "
      "the limit (LimitNOFILE in a systemd unit, ulimit -Hn in a shell, --ulimit nofile for a "
      "container), or lower max_client_connections",
      files_max, config.proxy.max_client_connections, wanted);
}

}  // namespace fairlead::app
