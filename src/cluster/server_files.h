// The text of the files that a node reads: fairlead.conf, pg_hba.conf. Pure.
//
// Every node carries the same WAL settings, because any of them may become the primary. What
// belongs to one node alone is its port and its name.
#pragma once

#include <string>
#include <vector>

#include "cluster/state.h"

namespace fairlead::cluster {

/// Included at the end of postgresql.conf, so that it wins over initdb's choices there. The reason
/// stands beside each setting. `primary`: whom the node follows; null when it follows nobody. Holds
/// the replication password, so the file is for the servers' user alone.
std::string render_fairlead_conf(const ClusterState& state, const NodeState& node,
                                 const NodeState* primary);

/// Whom the node as the primary could wait for at a commit: the other members; and when those are
/// too few for the rule, also who needs a rejoin, so that commits wait for that and the rule is not
/// given up silently (E11).
std::vector<std::string> standbys_of(const ClusterState& state, const NodeState& node);

/// Lets in: the Unix sockets and the nodes' own address, with scram-sha-256, and nobody else. The
/// replicas get it with the base backup.
std::string render_pg_hba(const ClusterSpec& spec);

/// The one line by which postgresql.conf takes our file in.
inline constexpr const char* kIncludeLine = "\ninclude 'fairlead.conf'\n";

}  // namespace fairlead::cluster
