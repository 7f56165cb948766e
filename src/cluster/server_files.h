// The text of the files that a node reads: fairlead.conf, pg_hba.conf. Pure.
//
// Every node carries the same WAL settings, because any of them may become the primary. What
// belongs to one node alone is its port and its name.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/state.h"

namespace fairlead::cluster {

/// Included at the end of postgresql.conf, so that it wins over initdb's choices there. The reason
/// stands beside each setting. `primary`: whom the node follows; null when it follows nobody. Holds
/// the replication password, so the file is for the servers' user alone.
std::string render_fairlead_conf(const ClusterState& state, const NodeState& node,
                                 const NodeState* primary);

/// The line that asks proxies to hold writes until that second of the server's clock: a parameter
/// of ours that PostgreSQL keeps and does not know. A deadline, so that a switchover that was
/// killed ends by itself.
std::string hold_line(int64_t until_unix_seconds);

/// Whom the node as the primary could wait for at a commit: the other members; and when those are
/// too few for the rule, also who needs a rejoin, so that commits wait for that and the rule is not
/// given up silently (E11).
std::vector<std::string> standbys_of(const ClusterState& state, const NodeState& node);

/// What ALTER SYSTEM must not set: postgresql.auto.conf is read last, and would win over ours.
inline constexpr std::array<std::string_view, 3> kNotForAlterSystem = {
    "primary_conninfo", "primary_slot_name", "synchronous_standby_names"};

/// The text of postgresql.auto.conf without them.
std::string without_overrides(std::string_view auto_conf);

/// Lets in: the Unix sockets and the nodes' own address, with scram-sha-256, and nobody else. The
/// replicas get it with the base backup.
std::string render_pg_hba(const ClusterSpec& spec);

/// The one line by which postgresql.conf takes our file in.
inline constexpr const char* kIncludeLine = "\ninclude 'fairlead.conf'\n";

}  // namespace fairlead::cluster
