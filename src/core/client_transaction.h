// A transaction that the client has begun, and how far servers know of it (B30-B36).
//
// BEGIN is answered at once and told to a server only with the first statement behind it, so that
// SET TRANSACTION still counts for where that goes, and no server is held by a client that thinks.
// With transaction_reads = "until_write" the transaction then stays on a replica until its first
// statement that is not a plain read, which moves it to the primary.
//
// Pure; one per session, which does what is decided here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/request_plan.h"
#include "sql/facts.h"
#include "sql/hints.h"

namespace fairlead::core {

class ClientTransaction {
 public:
  enum class Stage : uint8_t {
    kNone,      // None is open, or one that a server was told of in the client's own words.
    kDeferred,  // The client was told that it has begun, and no server was.
    kBegun,     // Its server was told, and nothing else yet.
    kActive,    // Its server has been sent something of it.
    kFailed,    // It has failed without a server: all is refused until its end.
  };

  /// The tag of a command that needs no server now, nullopt otherwise. `may_begin`: the client has
  /// no transaction, and no server. In a deferred one SET TRANSACTION and its end are taken, in a
  /// failed one its end.
  std::optional<std::string_view> tag_of(const sql::QueryFacts& facts, bool may_begin) const;
  /// Carries out a command for which tag_of() has a tag. `hints`: of its text.
  void take(const sql::QueryFacts& facts, const sql::Hints& hints);

  Stage stage() const { return stage_; }
  bool is_deferred() const { return stage_ == Stage::kDeferred; }
  bool is_failed() const { return stage_ == Stage::kFailed; }
  /// Nothing but BEGIN has happened: it may begin anew on another server.
  bool is_untouched() const { return stage_ == Stage::kDeferred || stage_ == Stage::kBegun; }

  /// What BEGIN and SET TRANSACTION have said.
  const sql::TransactionModes& modes() const { return modes_; }
  /// The hints of its BEGIN, which count for all of it; null: none.
  const sql::Hints* hints() const { return hints_.get(); }
  /// The same as SQL. With `asks_isolation` the server answers with one row, in which its own
  /// defaults show: SHOW transaction_isolation.
  std::string sql(bool asks_isolation) const;

  // What becomes of it.
  void on_routed(bool until_write) { until_write_ = until_write; }
  void on_begun(bool on_replica);
  void on_sent();
  void on_end() { *this = {}; }
  void fail() { stage_ = Stage::kFailed; }
  /// Its server knows nothing of it any more. `to_primary`: it must not use a replica again,
  /// because what it has read there must not go back in time.
  void defer_again(bool to_primary);

  /// Its reads were sent to a replica, for as long as it only reads.
  bool is_until_write() const { return until_write_; }
  /// It runs on a replica, and can leave it between any two statements (B31).
  bool can_upgrade() const { return until_write_ && stage_ == Stage::kActive; }
  bool may_use_replica() const { return !to_primary_; }

 private:
  Stage stage_ = Stage::kNone;
  bool until_write_ = false;
  bool to_primary_ = false;
  sql::TransactionModes modes_;
  std::unique_ptr<sql::Hints> hints_;
};

/// Whether the request reads, and leaves nothing behind in the transaction that would have to move
/// with it: no cursor or portal, no setting, no prepared statement, no lock (B31).
bool is_movable_read(const RequestPlan& plan);
/// The request is a COMMIT or a ROLLBACK and nothing else, so that the transaction may end where it
/// is.
bool ends_transaction(const RequestPlan& plan);
/// READ COMMITTED, in which each statement has its own snapshot (B33); READ UNCOMMITTED is the same
/// in PostgreSQL.
bool is_read_committed(sql::Isolation isolation);
/// The same for a value of transaction_isolation.
bool is_read_committed(std::string_view isolation);

}  // namespace fairlead::core
