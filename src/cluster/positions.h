// How far the replicas are: asking those that run, until nothing moves.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"
#include "cluster/cluster.h"
#include "cluster/election.h"
#include "cluster/os_user.h"
#include "cluster/progress.h"

namespace fairlead::cluster {

/// One look at each of these nodes (indexes), as candidates of an election. One that is of another
/// system than `system_identifier` (empty: any), or whose position is not known for sure, is not
/// examined, and says why.
std::vector<Candidate> look_at(const Cluster& cluster, const std::vector<size_t>& nodes,
                               const std::string& system_identifier);

/// Looks until two looks in a row are the same (E12), which they are as soon as replay is at the
/// end of what was received. Whoever is not at its end within `patience` is not examined.
std::vector<Candidate> settled_positions(const Cluster& cluster, const std::vector<size_t>& nodes,
                                         const std::string& system_identifier,
                                         std::chrono::milliseconds patience, const StopFlag& stop);

/// What the folder of a primary that does not run tells: the setting that its commits obeyed, and
/// whether it was shut down cleanly. A damaged folder leaves the record of the cluster.
OldPrimary look_back_at(const ClusterState& state, const OsUser& user, size_t primary);

/// Empty when the folder is not readable.
std::string system_identifier_of(const ClusterState& state, const OsUser& user, size_t node);

}  // namespace fairlead::cluster
