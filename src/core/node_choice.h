// The node for one request: by its route, by what a read must see, and by what is known of the
// nodes.
//
// Pure. Its caller gathers what it is asked with, and carries out `wants_positions`. No allocation
// but for the text of an error; O(nodes).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/time.h"
#include "core/balance.h"
#include "core/lease.h"
#include "core/observation.h"
#include "core/read_floor.h"
#include "core/route.h"
#include "core/topology.h"
#include "sql/reason.h"

namespace fairlead::core {

/// A node chosen for a request.
struct NodeChoice {
  NodeIndex node{};
  Target target = Target::kPrimary;
  sql::Reason reason = sql::Reason::kRead;
  /// A server may only be used if it was opened before this, because the position that makes the
  /// node fresh enough was observed for such servers only (D16 b). Time{} : any.
  Time opened_before{};

  bool operator==(const NodeChoice&) const = default;
};

/// What can be done at once, and for how long since the request came something better is worth
/// waiting for: a replica that is about to be fresh enough, or a primary.
struct Choice {
  Result<NodeChoice> now;  // Error: kCannotConnectNow, or kInvalidParameterValue for a token.
  Duration patience{};
  bool wants_positions = false;  // The nodes are to be asked for their positions at once (D15).
};

/// What a database's configuration says about choosing, for one user.
struct ChoiceOptions {
  sql::ReadConsistency consistency = sql::ReadConsistency::kApp;
  Duration max_lag{};
  Duration freshness_wait{};
  Duration pool_timeout{};
  Duration failover_hold{};
  bool primary_reads = false;
  bool observes = false;  // Observe mode.
};

/// What is known at the moment of the choice.
struct ChoiceView {
  const ClusterSnapshot& cluster;
  const ChoiceOptions& options;
  std::span<const uint32_t> in_use;  // Servers that clients hold, one element per node.
  std::span<Candidate> scratch;      // To work in; as many.
  Time now{};
};

/// What a client is told that has waited for failover_hold while the primary asks for a pause.
Error writes_are_held();

/// How long a read by this route may wait for a replica to be fresh enough, or for a server that is
/// known to be. `takes_writes`: whether there is a primary to go to instead.
Duration patience_of_read(const Route& route, const ChoiceOptions& options, bool takes_writes);

/// `random_word`: 64 uniform bits, for balance = "random".
Choice choose_node(const LeaseWish& wish, const ReadHistory& history, const ChoiceView& view,
                   Balancer& balancer, uint64_t random_word);

/// Of what a read must see, on the replica that has served its transaction so far.
enum class StillShows : uint8_t { kAll, kNotYet, kTooLittle };
/// `opened_at`: its server.
StillShows still_shows(NodeIndex node, Time opened_at, const Route& route,
                       const ReadHistory& history, const ChoiceView& view);

struct Foresight {
  Foreseen foreseen = Foreseen::kStays;
  bool wants_positions = false;  // As a read would, so that the next answer is as good.
};

/// What choose_node() would find for a request that goes to a replica, if the mode was not
/// "observe".
Foresight foresee(const Route& route, const ReadHistory& history, const ChoiceView& view);

}  // namespace fairlead::core
