// The steps of a promotion and of a switchover. Pure.
#pragma once

#include <vector>

#include "cluster/election.h"
#include "cluster/plan.h"

namespace fairlead::cluster {

/// The other nodes, as indexes; also those that cannot be promoted, because they are named when
/// nobody can.
std::vector<size_t> replicas_of(const ClusterState& state, size_t primary);

/// Until the replicas can be compared: the old primary has ended and is fenced, the replicas run
/// and receive nothing. `running`: which nodes run now.
Plan plan_comparison(const ClusterState& state, size_t primary, const std::vector<bool>& running);

/// Who can follow the chosen one without a rejoin: of the same timeline and not beyond it.
/// `candidates` are of the nodes `replicas`.
std::vector<size_t> able_to_follow(const std::vector<Candidate>& candidates,
                                   const std::vector<size_t>& replicas, const Verdict& verdict);

/// From the comparison to the end. The rule of synchronous replication is in force on the new
/// primary before its first commit, and its slots are there before, so that no WAL is missed.
Plan plan_promotion(const ClusterState& state, size_t primary, size_t chosen,
                    const std::vector<size_t>& followers);

/// While both work. The pause of the clients is from kHold to kProveWrites, so everything that can
/// be done before or after is. `streaming`: the replicas that stream from the primary now, the only
/// ones that are counted on for the rule of synchronous replication.
Plan plan_switchover(const ClusterState& state, size_t primary, size_t chosen,
                     const std::vector<size_t>& streaming);

}  // namespace fairlead::cluster
