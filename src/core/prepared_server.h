// Which statements one server connection has, and what has to be sent before one can be used.
//
// A plain movable value without pointers to anything: an idle server may go to another worker's
// thread. Pure. Messages that it asks for are answered in order; the caller reports each answer, or
// the error that made the server skip the rest (F22).
//
// Preparing is not transactional in PostgreSQL: what was confirmed stays after ROLLBACK.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/prepared.h"

namespace fairlead::core {

/// What to send before the Bind, Describe or EXECUTE of a statement.
struct PreparedPlan {
  PreparedKey key;                   // ServerStatementName{key} is its name on the server.
  bool parse = false;                // Send Parse (or PREPARE) under that name.
  std::optional<PreparedKey> close;  // Send Close for that one first (C11, C12e).

  bool operator==(const PreparedPlan&) const = default;
};

class ServerStatements {
 public:
  /// Each statement costs a server some 10 to 100 KiB of plans. 200 is PgBouncer's default too.
  static constexpr size_t kCapacityDefault = 200;

  /// `key` is the process's hash key; `capacity` at least 1.
  explicit ServerStatements(HashKey key, size_t capacity = kCapacityDefault);

  /// The name of `statement` as `parse_state` reads it.
  PreparedKey key_of(const PreparedStatement& statement, uint64_t parse_state) const;

  /// The caller is about to use the statement, and sends what the plan says: first the Close, then
  /// the Parse. Does not allocate when the server has the statement.
  ///
  /// Beyond the capacity the least recently used statement makes room. Statements that were used
  /// since the last boundary do not: messages already on their way name them. So within one
  /// transaction the capacity may be exceeded; later plans get back to it one Close at a time.
  PreparedPlan plan_use(const PreparedStatement& statement, uint64_t parse_state);

  /// The same for the unnamed statement: whether it must be parsed (again). It is never closed.
  bool plan_use_unnamed(const PreparedStatement& statement, uint64_t parse_state);
  /// A simple Query was sent: the server drops its unnamed statement (C12).
  void drop_unnamed();

  /// The oldest unanswered Close or Parse of a plan was answered. For a kSql statement the answer
  /// is CommandComplete.
  void on_close_complete();
  /// What that one is, if it is a Parse.
  std::optional<PreparedKey> oldest_parse() const;
  /// Returns what was parsed.
  PreparedKey on_parse_complete();
  /// The server failed at or before the oldest unanswered one: it did none of them.
  void on_error_skip();

  /// The next use of each statement closes it and parses it again: the catalog has changed under
  /// them (C11), nobody knows for which, or something has dropped one behind our back.
  void poison_all();
  /// The server was found to have that many, at a boundary: some may have been dropped unseen.
  void on_counted(size_t count);

  /// ReadyForQuery with status I and nothing outstanding.
  void on_boundary();

  /// DISCARD ALL, DEALLOCATE ALL: the server has none. Nothing may be unanswered.
  void forget_all();
  /// The same of the client's own, once it is confirmed: the server has none but those whose Parse
  /// was sent behind it. After it was sent, poison_all() has to be called, so that these are sent.
  void on_all_dropped();

  size_t size() const { return index_.size(); }
  /// Parse and Close messages whose answer has not come.
  size_t unanswered() const { return pending_.size() - pending_begin_; }
  bool has(PreparedKey key) const;
  size_t capacity() const { return capacity_; }

 private:
  using SlotIndex = uint32_t;
  static constexpr SlotIndex kNone = UINT32_MAX;

  enum class State : uint8_t {
    kInFlight,  // Parse sent. Later messages of the same segment may use it.
    kPresent,
    kPoisoned,  // On the server, but must be parsed again.
  };
  struct Slot {
    PreparedKey key;
    State state = State::kPresent;
    uint64_t used_in_lease = 0;  // lease_ when it was last used.
    SlotIndex older = kNone;
    SlotIndex newer = kNone;
  };
  struct Pending {
    enum class Kind : uint8_t { kClose, kParse, kParseUnnamed };
    Kind kind = Kind::kParse;
    PreparedKey key;
    State closed_state = State::kPresent;  // kClose: what it is again if the Close is skipped.
    bool is_dropped = false;               // kClose: it is gone, whatever becomes of the Close.
  };

  std::optional<PreparedKey> close_least_used();
  void insert(PreparedKey key, State state, uint64_t used_in_lease);
  void erase(PreparedKey key);
  void link_newest(SlotIndex index);
  void unlink(SlotIndex index);
  void touch(SlotIndex index);
  void answered(Pending::Kind a, Pending::Kind b);

  HashKey hash_key_;
  size_t capacity_;
  std::unordered_map<PreparedKey, SlotIndex, Hash128Hasher> index_;
  std::vector<Slot> slots_;
  std::vector<SlotIndex> free_slots_;
  SlotIndex oldest_ = kNone;
  SlotIndex newest_ = kNone;
  uint64_t lease_ = 1;

  std::optional<PreparedKey> unnamed_;  // Provisional while its Parse is pending.
  std::vector<Pending> pending_;        // From pending_begin_ on, in order of sending.
  size_t pending_begin_ = 0;
};

}  // namespace fairlead::core
