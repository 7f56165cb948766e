// Asks one node, as the configured monitor user and with libpq, what `fairlead check` and
// `fairlead explain` need to know. Blocks for at most the cluster's own timeouts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/lsn.h"
#include "cluster/sql_connection.h"
#include "config/config.h"

namespace fairlead::app {

/// What a node says about itself.
struct NodeAnswer {
  std::string version;       // "15.20"
  uint32_t version_num = 0;  // 150020
  bool in_recovery = false;
  uint32_t timeline = 0;
  std::string system_identifier;
  Lsn position;                    // Written on a primary, replayed on a replica.
  bool streams = false;            // A replica with a WAL receiver that works.
  bool sees_receiver = false;      // The user may read pg_stat_wal_receiver.
  bool is_superuser = false;       // More than the monitor needs.
  uint32_t connections_max = 0;    // For ordinary users.
  uint32_t connections_taken = 0;  // By clients, now.
};

/// libpq takes what nobody tells it from PG* variables, which `fairlead up` does not know: without
/// this, a node would let these commands in and the proxy not. Once the configuration is loaded,
/// which may name such a variable, and before any thread is started.
void forget_libpq_environment();

/// libpq's connection string for the monitor user, who has nothing but what the configuration says:
/// no file of ~/.postgresql, no ~/.pgpass, no ticket of Kerberos. `database` empty: the monitor's.
std::string conninfo(const config::Cluster& cluster, const config::NodeAddress& node,
                     const std::string& database = {});

Result<NodeAnswer> ask_node(const config::Cluster& cluster, const config::NodeAddress& node);

/// A connection to the node that is not in recovery. When several say so, or none, an error.
Result<cluster::SqlConnection> connect_to_primary(const config::Cluster& cluster,
                                                  const std::string& database);

}  // namespace fairlead::app
