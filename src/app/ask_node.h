// Asks one node, as the configured monitor user and by the proxy's own way of logging in, what
// `fairlead check` and `fairlead explain` need to know. Blocks for at most the cluster's own
// timeouts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/lsn.h"
#include "config/config.h"
#include "proxy/conversation.h"

namespace fairlead::app {

/// What a node says about itself.
struct NodeAnswer {
  std::string version;       // "15.20"
  uint32_t version_num = 0;  // 150020
  bool in_recovery = false;
  uint32_t timeline = 0;
  std::string system_identifier;
  std::string started_us;          // Of its postmaster, since 1970: no two have the same.
  Lsn position;                    // Written on a primary, replayed on a replica.
  bool streams = false;            // A replica with a WAL receiver that works.
  bool sees_receiver = false;      // The user may read pg_stat_wal_receiver.
  bool is_superuser = false;       // More than the monitor needs.
  uint32_t connections_max = 0;    // For ordinary users.
  uint32_t connections_taken = 0;  // By clients, now.
};

Result<NodeAnswer> ask_node(const config::Cluster& cluster, const config::NodeAddress& node);

/// Whether the user can ask something in that database, as the proxy does for its catalog.
Result<void> ask_in_database(const config::Cluster& cluster, const config::NodeAddress& node,
                             const std::string& database);

/// The rows of each question, from the node that is not in recovery. When several say so, or none,
/// an error.
Result<std::vector<std::vector<proxy::Row>>> ask_primary(const config::Cluster& cluster,
                                                         const std::string& database,
                                                         std::vector<std::string> questions);

}  // namespace fairlead::app
