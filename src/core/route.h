// Where one request should go, before freshness and balance have their say: the order of decision
// of design "Routing".
//
// Pure. 1. the port; 2. a pin, which any statement of the client has to follow (C22); 3. a hint,
// which may send a proven read to a replica but never a write (A7); 4. what the statement is. Doubt
// goes to the primary (G1). Where a server is leased, for a transaction or a pin, nobody asks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "sql/functions.h"
#include "sql/settings.h"

namespace fairlead::core {

/// Which of Fairlead's three ports the client came in by.
enum class Port : uint8_t { kAutomatic, kRead, kPrimary };

enum class Target : uint8_t { kPrimary, kReplica };

/// What the client asks of a read, by comment, SET LOCAL, SET or start-up, in that order; what it
/// leaves open, the database's configuration says.
struct ReadWish {
  std::optional<sql::ReadConsistency> consistency = {};
  std::optional<Duration> max_lag = {};
  std::optional<sql::FloorToken> min_lsn = {};

  bool operator==(const ReadWish&) const = default;
};

struct RouteInput {
  Port port = Port::kAutomatic;
  bool pinned = false;                  // The client keeps the server that it is going to get.
  std::optional<sql::Route> hint = {};  // Comment, else SET LOCAL, else SET, else start-up.
  sql::Decision decision = {};          // Of all statements of the request together (A4, A5).
  /// The request opens a transaction of these modes: it is a BEGIN, or the first statement behind
  /// one that servers do not know of yet (B30).
  const sql::TransactionModes* opens = nullptr;
  bool leaves_transaction = false;    // ... and may execute something behind its end (B10).
  bool reads_until_write = false;     // ... whose reads may use a replica, this one too (B31).
  bool default_read_only = false;     // default_transaction_read_only of the client (B18).
  bool default_serializable = false;  // default_transaction_isolation (B4).
  ReadWish read = {};
};

struct Route {
  Target target = Target::kPrimary;
  sql::Reason reason = sql::Reason::kCatalogLoading;
  bool replica_only = false;  // No falling back to the primary: the read port, or a node by name.
  std::string node = {};      // "host:port" when a hint names one.
  ReadWish read = {};

  bool operator==(const Route&) const = default;
};

Route decide_route(const RouteInput& input);

/// Where it goes instead in observe mode.
inline Route observe_route(const Route& would_be) {
  return {.target = Target::kPrimary, .reason = sql::Reason::kObserve, .read = would_be.read};
}

}  // namespace fairlead::core
