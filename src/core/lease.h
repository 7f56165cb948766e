// What a session asks for when it needs a server, and what it gets.
//
// Pure values between a session (session.h), which knows what is to be executed, and its host,
// which knows the nodes and holds the servers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/node_index.h"
#include "core/request_plan.h"
#include "core/route.h"
#include "core/server_state.h"
#include "core/topology.h"

namespace fairlead::core {

struct LeaseWish {
  Route route;
  std::optional<NodeIndex> kept =
      {};  // The replica that served the client last (balance = "sticky").
  std::vector<NodeIndex> avoid = {};  // They have failed this request already.
  bool past_replicas = false;         // None could prove itself in time: the primary, if any.
  /// What is read, if that is all that the lease is for; it stays valid until the lease is
  /// answered.
  const RequestPlan* reads = nullptr;
};

/// Where a granted server stands, and why there.
struct Lease {
  NodeIndex node{};
  Target target = Target::kPrimary;
  sql::Reason reason = sql::Reason::kRead;
  uint64_t waited_us = 0;
};

/// Why there is no server.
struct NoLease {
  Error error;                    // For the client.
  std::string server_error = {};  // The server's own ErrorResponse, whole (F27); mostly empty.
  /// The node where it failed, if another one may do: nothing was sent yet (E20).
  std::optional<Lease> tried = {};
};

/// What follows from a login that has failed.
struct FailedLogin {
  bool is_nodes_trouble = false;  // The node is to be looked at again.
  bool may_go_on = false;         // By another node, or by the same primary a moment later (E20).

  bool operator==(const FailedLogin&) const = default;
};

/// `sqlstate`: of the server's refusal if `server_said` so, else of our own error. A replica may
/// refuse what the primary does not: it does not know a role or a database yet, or its connections
/// are taken.
FailedLogin judge_failed_login(Target target, std::string_view sqlstate, bool server_said);

enum class LeaseCheck : uint8_t {
  kGood,
  kWrongRole,  // It says that it is in recovery, and should not be, or the other way round.
  kOtherNode,  // Its node has restarted since it was looked at: it may be anything now (D20).
  kTooNew,     // What was observed of its node does not hold for it.
  kOutdated,   // It was the primary's, and there is another epoch since it was chosen or opened.
  kHeld,       // The primary asks for a pause: nothing new may begin there.
};

/// Whether a server may be used for `target` now (E3, E4, E5). `opened_before`: the position that
/// makes its node fresh enough was observed for servers opened earlier only (D16 b); Time{}: for
/// all. `cluster`: as it is known now, which may be later than when the node was chosen.
LeaseCheck check_lease(Target target, const ServerState& server, Time opened_before,
                       const ClusterSnapshot& cluster);

/// Whether a server that is at work must be given up, with whatever it is doing: it is one of a
/// primary that was replaced, so what it acknowledges may be lost (E3, E26). A primary that only
/// does not answer keeps its servers until it is known to be replaced.
bool is_superseded(Target target, const ServerState& server, const ClusterSnapshot& cluster);

}  // namespace fairlead::core
