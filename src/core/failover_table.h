// What a client is told when the server that works for it is lost: one row for each state that its
// request can be in (E20, E21, E25, E27).
//
// Pure data. The session answers by these rows (session_end.cc), and docs/FAILOVER.md prints them:
// what is promised and what is done cannot differ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fairlead::core {

/// What was under way when the server was lost.
enum class LostWork : uint8_t {
  kNothingSent,     // It waits for a server, or has one that was sent nothing of it.
  kRepeatableRead,  // A read of which the client has seen nothing (A60).
  kMovable,         // A transaction that has only read, on a replica (B31).
  kRead,
  kSegment,      // A pipeline whose Sync was not sent.
  kTransaction,  // A statement in a transaction.
  kResting,      // A transaction, between two statements.
  kWrite,        // A write outside of a transaction.
  kCommit,
  kState,         // Nothing, but the server held what cannot be moved (a pin).
  kStateOfWrite,  // The same with a write or a commit.
  kHalfAnswer,    // Half of a message had gone to the client.
};

struct LossRow {
  LostWork work;
  std::string_view when;  // For people; the first column of the table.
  /// Of the error that the client gets in the place of each answer; nullopt: it is told nothing.
  std::optional<ErrorCode> code;
  bool keeps_client;         // False: the error is FATAL, or the connection just ends.
  std::string_view message;  // Of the error; without one, what happens instead.
  std::string_view hint;     // What to do next.
};

const LossRow& loss_row(LostWork work);

/// The error of a row that has one. `why`: how the server was lost.
Error loss_error(LostWork work, std::string_view why);

/// One request that was sent and not answered.
struct LostRequest {
  bool may_write = false;
  bool commits = false;   // COMMIT, COMMIT PREPARED or PREPARE TRANSACTION is part of it.
  bool controls = false;  // So is something that may begin or end a transaction.
  bool ends_inside =
      false;             // Of a transaction that it has begun: "BEGIN; INSERT ..." as one Query.
  bool is_whole = true;  // All of it was sent, up to its Sync.
};

/// `in_transaction`: one was open when the request began, as far as anybody can tell. In doubt the
/// outcome is not known: a write that is called undone is one that is made twice.
LostWork lost_work(const LostRequest& request, bool in_transaction);

/// docs/FAILOVER.md's table.
std::string loss_table_markdown();

}  // namespace fairlead::core
