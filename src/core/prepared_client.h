// Which of a client's names mean which statement, exactly as PostgreSQL's own session would have it
// (C12). The client's names never reach a server.
//
// Inside a pipeline a message may use a name that an earlier, still unanswered message defines. So
// every change takes effect at once, provisionally, and is written down; the answers then confirm
// them one by one, in order, and an error takes back all that it made the server skip (F22). A
// confirmed change stays even if the transaction fails: in PostgreSQL, too, preparing is not
// transactional.
//
// Pure; one per client, on its worker's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "core/prepared.h"
#include "sql/hints.h"

namespace fairlead::core {

/// Generous for drivers that never deallocate, and a bound on what one client can hold: statements,
/// and bytes of text, names and parameter types, counted as if nobody else had the same text.
struct ClientStatementLimits {
  size_t statements_max = 10'000;  // Also of unconfirmed changes.
  size_t bytes_max = 64u << 20;
};

using HintsPtr = std::shared_ptr<const sql::Hints>;

struct ClientStatement {
  PreparedPtr statement;
  std::shared_ptr<const void> facts;  // The caller's: what it knows about the text.
  HintsPtr hints = {};                // Of its comments; null: none (A7).
};

class ClientStatements {
 public:
  explicit ClientStatements(ClientStatementLimits limits = {}) : limits_(limits) {}

  /// What `name` means for the next message ("": the unnamed statement); null when it is missing.
  /// Valid until the next change.
  const ClientStatement* find(std::string_view name) const;

  /// Parse and PREPARE. Errors: kDuplicateStatement (the unnamed one is replaced instead),
  /// kLimitExceeded; then nothing has changed and there is nothing to confirm.
  Result<void> define(std::string_view name, ClientStatement statement);

  /// Close. A missing name is fine; it is still to be confirmed.
  void close(std::string_view name);

  /// DEALLOCATE name: a missing name is kInvalidStatementName, with nothing to confirm.
  Result<void> deallocate(std::string_view name);

  /// DEALLOCATE ALL and DISCARD ALL (C12b).
  void deallocate_all();

  /// A simple Query drops the unnamed statement, whatever becomes of the Query (C12). Nothing to
  /// confirm.
  void on_simple_query();

  /// The unnamed statement is one whose Parse nobody could read; the server at work has it, until
  /// the next Parse or Query, and as far as we know it no longer than the segment.
  void on_unseen_parse();
  bool unnamed_is_unseen() const { return unnamed_is_unseen_; }
  void forget_unseen() { unnamed_is_unseen_ = false; }

  /// The oldest unconfirmed change has got its answer.
  void on_confirmed();
  /// The server refused the oldest unconfirmed change itself, and skips the rest of the segment. A
  /// refused Parse of the unnamed statement has dropped the old one all the same.
  void on_refused();
  /// It failed at something before the oldest unconfirmed change, and does none of them.
  void on_skipped();

  size_t size() const { return named_.size() + (unnamed_.statement ? 1 : 0); }
  size_t bytes() const { return bytes_; }
  size_t unconfirmed() const { return journal_.size() - journal_begin_; }

 private:
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };
  using Map = std::unordered_map<std::string, ClientStatement, NameHash, std::equal_to<>>;

  /// How to take one change back.
  struct Undo {
    std::string name;
    ClientStatement before;           // Null: `name` was missing.
    std::unique_ptr<Map> all_before;  // deallocate_all() only, which leaves the unnamed one.
  };

  ClientStatement take(std::string_view name);
  void put(std::string_view name, ClientStatement statement);
  void take_back_last();
  void compact_journal();

  ClientStatementLimits limits_;
  Map named_;
  ClientStatement unnamed_;
  bool unnamed_is_unseen_ = false;
  size_t bytes_ = 0;
  std::vector<Undo> journal_;  // From journal_begin_ on, in order of sending.
  size_t journal_begin_ = 0;
};

}  // namespace fairlead::core
