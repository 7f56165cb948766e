// The command lines of PostgreSQL's tools, as argument lists: no shell ever sees them. Pure.
//
// No password is in them: any user of the machine can read argument lists.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cluster/state.h"

namespace fairlead::cluster {

using Arguments = std::vector<std::string>;

/// Reads the superuser's password from its standard input.
Arguments initdb_arguments(const ClusterState& state, const NodeState& node);

/// Makes the slot (-C -S) and takes a base backup. The password comes through PGPASSWORD.
Arguments base_backup_arguments(const ClusterState& state, const NodeState& from,
                                const NodeState& replica);

/// Reads the source over a connection of the superuser, whose password comes through PGPASSWORD.
Arguments rewind_arguments(const ClusterState& state, const NodeState& source,
                           const NodeState& target);

/// How `replica` connects to the node that it follows, as libpq reads it, with the password: for
/// files, not for command lines.
std::string replication_conninfo(const ClusterState& state, const NodeState& primary,
                                 const NodeState& replica);

/// Returns once the node accepts connections, or when it does not within `patience`.
Arguments start_arguments(const ClusterState& state, const NodeState& node,
                          std::chrono::seconds patience = std::chrono::seconds(60));

/// A slot's name is the node's: small letters, digits and underscores, which is all a slot may
/// have.
std::string slot_name(const NodeState& node);

/// For people: the words with blanks between, quoted where a shell would need it.
std::string printable(const Arguments& arguments);

}  // namespace fairlead::cluster
