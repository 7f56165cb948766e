// What all workers of a proxy share: immutable snapshots, and the few objects that are safe from
// any thread.
//
// Made before the workers start and destroyed after they have ended. A reload makes a new Settings
// and posts it to each worker.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "auth/scram_verifier.h"
#include "auth/users_file.h"
#include "config/config.h"
#include "core/prepared_hash.h"
#include "core/topology.h"
#include "net/tls.h"
#include "proxy/patroni_watch.h"
#include "proxy/shared_pool.h"
#include "sql/functions.h"

namespace fairlead::proxy {

/// One cluster's configuration in the form that opening connections needs.
struct ClusterSettings {
  std::string name;
  std::vector<ServerEndpoint> nodes;          // As configured; those in use are the snapshot's.
  std::shared_ptr<const net::TlsClient> tls;  // To every node.
  auth::AllowedServerAuth allowed_auth;       // By every node (F14).
  ServerLogin monitor;
  std::optional<PatroniSettings> patroni;  // topology = "patroni".

  /// A node of this cluster; `timeout` as in ServerEndpoint.
  ServerEndpoint endpoint(std::string host, uint16_t port, Duration timeout) const {
    return {.host = std::move(host),
            .port = port,
            .tls = tls,
            .timeout = timeout,
            .allowed_auth = allowed_auth};
  }
};

/// Everything that a reload may replace. Immutable.
struct Settings {
  std::shared_ptr<const config::Config> config;
  std::map<std::string, ClusterSettings, std::less<>> clusters;
  auth::UsersFile users;
  auth::MockKey mock_key{};                   // F12: lasts from start to start.
  std::shared_ptr<const net::TlsServer> tls;  // Null: no TLS to clients.
};
using SettingsPtr = std::shared_ptr<const Settings>;

/// Reads the files that `config` names. Errors say which.
Result<ClusterSettings> make_cluster_settings(const std::string& name,
                                              const config::Cluster& cluster);
Result<SettingsPtr> make_settings(std::shared_ptr<const config::Config> config);

/// Tells the control thread what workers notice. From any thread.
class ControlMail {
 public:
  virtual void report_trouble(const std::string& cluster, core::NodeIndex node,
                              std::string why) = 0;
  virtual void want_catalog(const std::string& cluster, const std::string& database) = 0;
  virtual void catalog_changed(const std::string& cluster, const std::string& database) = 0;
  /// It may have changed: by a DO or a CALL.
  virtual void catalog_doubted(const std::string& cluster, const std::string& database) = 0;
  virtual void want_positions(const std::string& cluster) = 0;

 protected:
  ~ControlMail() = default;
};

struct Shared {
  Shared(uint16_t workers, core::HashKey key, uint64_t files_max)
      : hash_key(key), open_files_max(files_max), pools(workers) {}

  const core::HashKey
      hash_key;  // Names of prepared statements on servers, the same for all workers.
  const uint64_t open_files_max;  // As of the start: whoever raises it does so before.
  PoolRegistry pools;
  ControlMail* control = nullptr;
  std::atomic<uint32_t> clients{0};  // Connections, for max_client_connections.
};

}  // namespace fairlead::proxy
