// The numbers that others have taken from sequences on the leased server, which currval() and
// lastval() must not tell its client (C18).
//
// PostgreSQL keeps such numbers for its session, and here a session of PostgreSQL's serves one
// client after the other. What takes them away is a statement, so it is sent only where the
// question may come: before a transaction that asks for certain, or that may yet ask, because
// somebody of the same database and user has asked before. Where nobody has, and the question comes
// amid a transaction, taking away would take the transaction's own numbers, too: then the server is
// asked first whether it has taken any.
//
// Pure; one per client, on its worker's thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace fairlead::core {

/// Allowed in a transaction, and not undone by its end.
inline constexpr std::string_view kDiscardSequences = "DISCARD SEQUENCES";
/// Whether the open transaction may have taken a number: nextval() holds a lock to its end, also
/// beyond a ROLLBACK TO. So do setval() and a look at pg_sequences, which take none. PostgreSQL 13
/// to 19, every role, every search_path.
inline constexpr std::string_view kAskForSequenceLocks =
    "SELECT EXISTS(SELECT FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c"
    " ON l.relation OPERATOR(pg_catalog.=) c.oid"
    " WHERE l.locktype OPERATOR(pg_catalog.=) 'relation'"
    " AND l.mode OPERATOR(pg_catalog.=) 'RowExclusiveLock'"
    " AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"
    " AND c.relkind OPERATOR(pg_catalog.=) 'S'::\"char\")";

class ForeignSequences {
 public:
  enum class Remedy : uint8_t {
    kNone,
    kDiscard,  // kDiscardSequences first, then on_discarded().
    kAsk,      // kAskForSequenceLocks first, then on_answer(), then amid_transaction() again.
    kRefuse,   // Nobody can tell, and the server cannot be asked now.
  };

  /// `used`: others may have taken numbers on that server.
  void on_lease(bool used) { state_ = used ? State::kLeft : State::kNone; }

  /// The server has done nothing yet for the next transaction, which asks for a number, or may.
  Remedy before_transaction() const {
    return state_ == State::kNone ? Remedy::kNone : Remedy::kDiscard;
  }
  /// The next request asks for a number, and its transaction is under way. `can_ask`: all that was
  /// sent is answered, and no segment is open.
  Remedy amid_transaction(bool can_ask) const;
  /// The client keeps the server beyond its transaction. From then on all numbers are its own.
  Remedy before_pin() const { return before_transaction(); }

  void on_discarded() { state_ = State::kNone; }
  void on_answer(bool transaction_has_taken) {
    state_ = transaction_has_taken ? State::kMixed : State::kOnlyForeign;
  }

 private:
  enum class State : uint8_t {
    kNone,         // Or the client's own.
    kLeft,         // There may be some.
    kOnlyForeign,  // None of the open transaction's are there.
    kMixed,        // Some of the open transaction's are there, too.
  };

  State state_ = State::kNone;
};

}  // namespace fairlead::core
