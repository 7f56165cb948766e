// What a session needs to know about one SQL text, as far as the text alone tells. Plain data: made
// by classify(), shared by shape_cache, never changed afterwards.
//
// It does not say whether a function is safe: that depends on the database (functions.h, decide()).
// Nothing here depends on the values of literals, except inside `variables`, `prepared` and `show`,
// whose statements keep their literals in the shape (shape.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/reason.h"

namespace fairlead::sql {

enum class Access : uint8_t {
  kRead,     // Proven by the text; its functions still have to be looked up.
  kPrimary,  // Everything else (G1).
};

enum class Isolation : uint8_t { kReadUncommitted, kReadCommitted, kRepeatableRead, kSerializable };

/// A table, view or sequence named in the text. CTE names are listed too: a name too many costs
/// freshness checks, a name too few would cost correctness.
struct Relation {
  std::string schema;  // Empty when the text does not qualify it.
  std::string name;
  bool written = false;

  /// One of PostgreSQL's own, or taken for one: pg_catalog is searched first.
  bool is_of_system() const {
    if (schema.empty()) return name.starts_with("pg_");
    return schema == "pg_catalog" || schema == "information_schema" || schema == "pg_toast";
  }
  auto operator<=>(const Relation&) const = default;
};

/// Transaction characteristics, of BEGIN, SET TRANSACTION or SET SESSION CHARACTERISTICS (B2-B7).
struct TransactionModes {
  std::optional<bool> read_only = {};
  std::optional<Isolation> isolation = {};
  std::optional<bool> deferrable = {};

  bool operator==(const TransactionModes&) const = default;
};

struct TransactionCommand {
  enum class Kind : uint8_t {
    kBegin,
    kCommit,
    kRollback,
    kSavepoint,
    kRollbackTo,
    kRelease,
    kPrepareTransaction,
    kCommitPrepared,
    kRollbackPrepared,
  };
  Kind kind = Kind::kBegin;
  bool chain = false;           // COMMIT/ROLLBACK AND CHAIN: no boundary (B12).
  bool is_start = false;        // kBegin as START TRANSACTION, which is its command tag, too.
  TransactionModes modes = {};  // kBegin only.
  std::string name = {};        // Savepoint or global transaction identifier.
  size_t statement = 0;         // Which of the text's statements it is, from 0.

  bool operator==(const TransactionCommand&) const = default;
};

struct VariableCommand {
  enum class Kind : uint8_t {
    kSet,
    kSetDefault,  // SET x TO DEFAULT, SET TIME ZONE LOCAL, SET ROLE NONE stays kSet.
    kReset,
    kResetAll,
    kTransaction,             // SET TRANSACTION ...: `modes`.
    kTransactionSnapshot,     // SET TRANSACTION SNAPSHOT: node-local, primary only.
    kSessionCharacteristics,  // SET SESSION CHARACTERISTICS AS TRANSACTION ...: `modes`.
  };
  enum class Scope : uint8_t { kSession, kLocal };

  Kind kind = Kind::kSet;
  Scope scope = Scope::kSession;
  /// Lower case, PostgreSQL's own name: SET NAMES gives client_encoding, SET TIME ZONE timezone,
  /// SET SCHEMA search_path, SET ROLE role.
  std::string name = {};
  /// The value exactly as the client wrote it, so that "SET name TO argument" says the same again.
  /// Case and space of unquoted words may be those of an earlier text of the same shape, which mean
  /// the same.
  std::string argument = {};
  /// The value as a plain text when it is one literal or one word.
  std::optional<std::string> value = {};
  TransactionModes modes = {};
  size_t statement = 0;  // As in TransactionCommand.

  bool operator==(const VariableCommand&) const = default;
};

struct QueryFacts;

/// SQL-level PREPARE, EXECUTE and DEALLOCATE (A22, C17). Offsets are bytes of the text that was
/// classified; such texts are never cached by shape.
struct PreparedCommand {
  enum class Kind : uint8_t { kPrepare, kExecute, kDeallocate, kDeallocateAll };
  Kind kind = Kind::kPrepare;
  std::string name = {};
  size_t name_begin = 0;
  size_t name_end = 0;
  size_t body_begin = 0;  // kPrepare: the statement after AS.
  size_t body_end = 0;
  std::shared_ptr<const QueryFacts> body = {};  // kPrepare: its facts.
};

enum class Discard : uint8_t { kNone, kAll, kPlans, kTemp, kSequences };

/// What may begin or end a pin (C13-C20), as a bit set.
enum class PinEvent : uint16_t {
  kListen = 1 << 0,
  kUnlisten = 1 << 1,     // UNLISTEN name.
  kUnlistenAll = 1 << 2,  // UNLISTEN *.
  kHoldCursor = 1 << 3,
  kCloseCursor = 1 << 4,      // CLOSE name.
  kCloseAllCursors = 1 << 5,  // CLOSE ALL.
  kAdvisoryLock = 1 << 6,     // A session-level one; how many is not known from the text.
  kAdvisoryUnlock = 1 << 7,
  kAdvisoryUnlockAll = 1 << 8,
  kTempObject = 1 << 9,
  kTempDropsOnCommit = 1 << 10,  // Every temporary object of this unit is ON COMMIT DROP.
  kDrop = 1 << 11,               // May drop a temporary object.
  kSequenceValue = 1 << 12,  // nextval() or setval(): currval() has an answer from now on (C18).
  kLoad = 1 << 13,
  kDeallocate = 1 << 14,    // One, or ALL.
  kSequenceRead = 1 << 15,  // currval() or lastval().
};

struct PinEvents {
  uint16_t bits = 0;

  bool has(PinEvent event) const { return (bits & static_cast<uint16_t>(event)) != 0; }
  void add(PinEvent event) { bits = static_cast<uint16_t>(bits | static_cast<uint16_t>(event)); }
  void remove(PinEvent event) {
    bits = static_cast<uint16_t>(bits & ~static_cast<unsigned>(event));
  }
  bool operator==(const PinEvents&) const = default;
};

/// One Query message or one Parse: all its statements as one unit (A4).
struct QueryFacts {
  size_t statements = 0;
  Access access = Access::kPrimary;
  Reason reason = Reason::kParseError;  // kRead or kEmpty when access is kRead, else why not.

  /// Functions called at any depth whose safety the catalog must tell: lower case (exact if
  /// quoted), without schema (A40), sorted, unique. Names that the reviewed lists send to the
  /// primary are not in it: they have already decided. Read-safe volatile built-ins are in it,
  /// because an overload of somebody's own may not be.
  std::vector<std::string> functions;
  /// Names after a dot: columns, or functions in attribute notation (t.f means f(t)). Sorted,
  /// unique.
  std::vector<std::string> attributes;
  /// Operators, without schema, written or implied by the grammar: BETWEEN is >= and <=, JOIN USING
  /// is =. All of them, because any database may have one of its own by any of these names (A41).
  std::vector<std::string> operators;
  std::vector<Relation> relations;      // Sorted, unique.
  std::vector<std::string> with_names;  // Of WITH queries. Sorted, unique.

  std::vector<TransactionCommand> transaction;  // In order of the text, as the next two.
  std::vector<VariableCommand> variables;
  std::vector<PreparedCommand> prepared;
  /// Places of statements that do the same whatever the session's settings are: SET, RESET,
  /// DISCARD, COMMIT, ROLLBACK and the like. Ascending.
  std::vector<size_t> indifferent;
  std::optional<std::string>
      show;  // The canonical name ("all" for SHOW ALL), if the unit is one SHOW.
  Discard discard = Discard::kNone;  // The strongest, if several.
  PinEvents pins;

  /// False: as far as the text tells, no row, sequence or definition that others can see is changed
  /// (D11). A transaction may have written if any of its units may. Independent of `reason`, which
  /// is the first of possibly many.
  bool may_write = true;
  /// Only the primary, even in a READ ONLY transaction (B3): something of it is not the same on a
  /// replica (is_same_on_replica), or would stay on one. Independent of `reason`, as before.
  bool primary_only = true;
  bool takes_advisory_lock = false;  // Of the transaction or of the session (C15).
  bool calls_set_config = false;     // extract_set_config(text) tells what it sets.
  /// currval() or lastval(), and nothing before it in the unit that may have called nextval()
  /// (C18).
  bool reads_earlier_sequence = false;
  bool resets_only =
      false;  // Nothing but RESET, DISCARD, UNLISTEN, CLOSE, DEALLOCATE, pg_advisory_unlock_all().
  bool opaque_side_effects =
      false;  // State may have changed unseen: DO, CALL, LOAD, not understood (C4).
  bool needs_no_transaction_block = false;  // VACUUM, CREATE DATABASE, DISCARD ALL ... (B17)
  bool changes_catalog = false;             // Caches of the catalog must be refreshed (A42).
  /// What was a proven read may be none any more: DDL, but for what only makes plain tables and
  /// indexes, drops, or grants. Names count for all that bear them, so that one less harms nothing.
  bool may_unprove_reads = false;
  bool writes_unnamed = false;    // TRUNCATE: CASCADE empties what refers to it, too.
  bool copy_in = false;           // COPY ... FROM STDIN.
  bool copy_out = false;          // COPY ... TO STDOUT.
  bool copy_to_file = false;      // COPY ... TO a file or a program of the server (A19).
  bool uses_temp_schema = false;  // Names pg_temp.
  bool explain = false;           // The unit has an EXPLAIN, with or without ANALYZE.

  bool empty() const { return statements == 0; }
};

}  // namespace fairlead::sql
