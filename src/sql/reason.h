// Why a statement went where it went: one closed list for the whole of Fairlead.
//
// The same word appears in SHOW fairlead.last_route, in the NOTICE of fairlead.explain, in metrics,
// in the ledger and in the docs. A name is a promise: add, never rename. The first group is what
// the text and the catalog say (src/sql), the second what routing adds (src/core).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fairlead::sql {

enum class Reason : uint8_t {
  // What the statement is.
  kRead,
  kEmpty,
  kWrite,
  kDdl,
  kRowLock,
  kSelectInto,
  kWritingCte,
  kCopyFrom,
  kCopyToFile,
  kUtility,
  kMaintenance,
  kParseError,
  kTooLarge,
  kMultiStatementWrite,
  kVolatileFunction,
  kUnknownFunction,
  kSessionFunction,
  kNodeFunction,
  kDynamicSqlFunction,
  kAdvisoryLock,
  kSystemCatalog,
  kPrimaryRelation,
  kUnknownRelation,
  kUnsafeView,
  kUnsafePolicy,
  kUnsafeOperator,
  kUnsafeCast,
  kUnsafeType,
  kUnsafeDomain,
  kUnsafeOperatorClass,
  kPrimaryList,
  kTempObject,
  kLock,
  kNotify,
  kListen,
  kTwoPhase,
  kProcedure,
  kCursor,
  kSerializable,
  kReadWriteTransaction,
  kNonstandardStrings,
  kClientEncoding,
  // Primary only because the text alone cannot tell; the session knows more (session_decides).
  kTransaction,
  kSessionState,
  kPreparedStatement,
  // What routing adds.
  kHint,
  kPortPrimary,
  kPortReplica,
  kInTransaction,
  kTransactionReadOnly,
  kUntilWrite,
  kUpgrade,
  kPinned,
  kOwnWrite,
  kNoReplica,
  kCatalogLoading,
  kObserve,
  kPipelineOpen,
  kReplicaErrorRetry,
  kLocal,
};

struct ReasonText {
  Reason reason;
  std::string_view name;
  std::string_view description;
};

inline constexpr std::array kReasons{
    ReasonText{Reason::kRead, "read",
               "A proven read: any replica that is fresh enough may answer."},
    ReasonText{Reason::kEmpty, "empty", "Nothing to execute: no statement, or comments only."},
    ReasonText{Reason::kWrite, "write", "INSERT, UPDATE, DELETE, MERGE or TRUNCATE."},
    ReasonText{Reason::kDdl, "ddl", "The statement changes the catalog or privileges."},
    ReasonText{Reason::kRowLock, "row_lock", "SELECT ... FOR UPDATE or FOR SHARE, at any depth."},
    ReasonText{Reason::kSelectInto, "select_into", "SELECT INTO or CREATE TABLE AS makes a table."},
    ReasonText{
        Reason::kWritingCte, "writing_cte",
        "A WITH query contains INSERT, UPDATE, DELETE or MERGE, even one that matches nothing."},
    ReasonText{Reason::kCopyFrom, "copy_from", "COPY ... FROM writes a table."},
    ReasonText{Reason::kCopyToFile, "copy_to_file",
               "COPY ... TO a file or a program acts on the server's own machine."},
    ReasonText{Reason::kUtility, "utility", "A command that is not on the list of proven reads."},
    ReasonText{
        Reason::kMaintenance, "maintenance",
        "VACUUM, ANALYZE, REINDEX, CLUSTER, CHECKPOINT or a change of the server's settings."},
    ReasonText{Reason::kParseError, "parse_error",
               "Fairlead's grammar does not know the text, so PostgreSQL itself has to judge it."},
    ReasonText{Reason::kTooLarge, "too_large",
               "The text is too long or too deeply nested to be examined."},
    ReasonText{
        Reason::kMultiStatementWrite, "multi_statement_write",
        "One of several statements in the message is not a read, and they share a transaction."},
    ReasonText{Reason::kVolatileFunction, "volatile_function",
               "A function that may write is called: VOLATILE, or known to take a transaction id."},
    ReasonText{
        Reason::kUnknownFunction, "unknown_function",
        "A function is called that the catalog does not hold, or whose language proves nothing."},
    ReasonText{Reason::kSessionFunction, "session_function",
               "The answer belongs to one session, such as currval() or set_config()."},
    ReasonText{Reason::kNodeFunction, "node_function",
               "The answer or the effect belongs to one node, such as pg_is_in_recovery()."},
    ReasonText{Reason::kDynamicSqlFunction, "dynamic_sql_function",
               "A function executes SQL that is handed to it, such as query_to_xml() or dblink()."},
    ReasonText{Reason::kAdvisoryLock, "advisory_lock",
               "Advisory locks of a replica exclude nobody on the primary."},
    ReasonText{Reason::kSystemCatalog, "system_catalog",
               "System catalogs are read from the primary, which knows the newest definitions."},
    ReasonText{
        Reason::kPrimaryRelation, "primary_relation",
        "An unlogged or foreign table or a sequence is read, perhaps through a view: replicas "
        "do not have what it holds."},
    ReasonText{
        Reason::kUnknownRelation, "unknown_relation",
        "A table or view is named that the catalog does not hold: a new one, perhaps a view of "
        "what only the primary may do."},
    ReasonText{
        Reason::kUnsafeView, "unsafe_view",
        "A view is read which calls, at any depth, a function that may write or whose answer "
        "belongs to one node or session."},
    ReasonText{Reason::kUnsafePolicy, "unsafe_policy",
               "A row-security policy of a table calls a function that may write or whose answer "
               "belongs to one node or session."},
    ReasonText{Reason::kUnsafeOperator, "unsafe_operator",
               "An operator of this name, in any schema, calls a function that may write."},
    ReasonText{Reason::kUnsafeCast, "unsafe_cast",
               "The database has a cast whose function may write, and a text need not name a cast, "
               "so none of its reads is proven."},
    ReasonText{
        Reason::kUnsafeType, "unsafe_type",
        "The database has a type whose input, output or range function is in a language that "
        "proves nothing, and a text need not name a type, so none of its reads is proven."},
    ReasonText{Reason::kUnsafeDomain, "unsafe_domain",
               "The database has a domain whose CHECK calls a function that may write, and a text "
               "need not name a domain, so none of its reads is proven."},
    ReasonText{Reason::kUnsafeOperatorClass, "unsafe_operator_class",
               "The database has an operator class with a function that may write; ORDER BY and "
               "indexes use it unnamed, so none of its reads is proven."},
    ReasonText{Reason::kPrimaryList, "primary_list",
               "The configuration keeps a function or relation that is called or read, perhaps "
               "through a view, on the primary: primary_functions, primary_relations."},
    ReasonText{Reason::kTempObject, "temp_object", "A temporary object exists on one server only."},
    ReasonText{Reason::kLock, "lock", "LOCK TABLE on a replica would exclude nobody."},
    ReasonText{Reason::kNotify, "notify", "Notifications are sent by the primary."},
    ReasonText{Reason::kListen, "listen",
               "LISTEN and UNLISTEN belong to a session on the primary."},
    ReasonText{Reason::kTwoPhase, "two_phase",
               "PREPARE TRANSACTION, COMMIT PREPARED or ROLLBACK PREPARED."},
    ReasonText{Reason::kProcedure, "procedure", "CALL and DO may run anything."},
    ReasonText{Reason::kCursor, "cursor", "A cursor lives on the server that declared it."},
    ReasonText{Reason::kSerializable, "serializable", "Replicas cannot run SERIALIZABLE."},
    ReasonText{Reason::kReadWriteTransaction, "read_write_transaction",
               "READ WRITE was asked for, which a replica refuses."},
    ReasonText{Reason::kNonstandardStrings, "nonstandard_strings",
               "A backslash in a string with standard_conforming_strings off."},
    ReasonText{Reason::kClientEncoding, "client_encoding",
               "In this client encoding a character may contain a quote or a backslash byte."},
    ReasonText{Reason::kTransaction, "transaction",
               "A plain BEGIN may still be followed by a write."},
    ReasonText{Reason::kSessionState, "session_state",
               "SET, RESET, SHOW or DISCARD acts on the session, not on one node."},
    ReasonText{Reason::kPreparedStatement, "prepared_statement",
               "EXECUTE follows the class of the statement that was prepared."},
    ReasonText{Reason::kHint, "hint", "A hint or fairlead.route asked for this target."},
    ReasonText{Reason::kPortPrimary, "port_primary", "The client connected to the primary port."},
    ReasonText{Reason::kPortReplica, "port_replica", "The client connected to the read port."},
    ReasonText{Reason::kInTransaction, "in_transaction",
               "An open transaction stays on its own server."},
    ReasonText{Reason::kTransactionReadOnly, "transaction_read_only",
               "The transaction is READ ONLY, so a replica serves all of it."},
    ReasonText{Reason::kUntilWrite, "until_write",
               "The transaction has only read so far: a replica serves it until its first write."},
    ReasonText{Reason::kUpgrade, "upgrade",
               "The transaction has read on a replica; this statement moved it to the primary."},
    ReasonText{Reason::kPinned, "pinned",
               "The client is pinned to one server; SHOW PINS tells why."},
    ReasonText{Reason::kOwnWrite, "own_write",
               "No replica had replayed the commits that this read must see."},
    ReasonText{Reason::kNoReplica, "no_replica", "No replica is healthy, near enough and allowed."},
    ReasonText{Reason::kCatalogLoading, "catalog_loading",
               "The database's functions and views are not known, or not since the last DDL, so "
               "nothing that names one is proven."},
    ReasonText{Reason::kObserve, "observe", "Observe mode sends everything to the primary."},
    ReasonText{Reason::kPipelineOpen, "pipeline_open",
               "Earlier messages of the same pipeline already run on this server."},
    ReasonText{
        Reason::kReplicaErrorRetry, "replica_error_retry",
        "A replica refused the statement and nothing had been answered yet, so it was repeated."},
    ReasonText{Reason::kLocal, "local", "Fairlead answered by itself."},
};

namespace detail {
consteval bool reasons_are_complete_and_unique() {
  for (size_t i = 0; i < kReasons.size(); ++i) {
    if (static_cast<size_t>(kReasons[i].reason) != i) return false;  // Indexed by the enumerator.
    if (kReasons[i].name.empty() || kReasons[i].description.empty()) return false;
    for (size_t j = 0; j < i; ++j)
      if (kReasons[i].name == kReasons[j].name) return false;
  }
  return static_cast<size_t>(Reason::kLocal) + 1 == kReasons.size();
}
}  // namespace detail
static_assert(detail::reasons_are_complete_and_unique());

inline constexpr size_t kReasonCount = kReasons.size();

constexpr std::string_view reason_name(Reason reason) {
  return kReasons[static_cast<size_t>(reason)].name;
}
/// One sentence for people; `explain` and the docs print it.
constexpr std::string_view reason_description(Reason reason) {
  return kReasons[static_cast<size_t>(reason)].description;
}

/// True for reasons that mean "primary as far as the text tells, but the session may know better":
/// a plain BEGIN, session state, EXECUTE of a statement that the session recorded. They are
/// reported only when no statement of the unit has a stronger reason.
constexpr bool session_decides(Reason reason) {
  return reason == Reason::kTransaction || reason == Reason::kSessionState ||
         reason == Reason::kPreparedStatement;
}

/// True for reasons of which a replica that serves a READ ONLY transaction does the same as the
/// primary would there: it answers alike, or refuses what the primary refuses, too. All others it
/// would refuse alone, do on its own machine, or do where nobody on the primary can see it (B3,
/// A19, C15); or nobody knows what they are (G1).
constexpr bool is_same_on_replica(Reason reason) {
  switch (reason) {
    case Reason::kRead:
    case Reason::kEmpty:
    case Reason::kWrite:
    case Reason::kRowLock:
    case Reason::kSelectInto:
    case Reason::kWritingCte:
    case Reason::kCopyFrom:
    case Reason::kVolatileFunction:
    case Reason::kUnknownFunction:
    case Reason::kDynamicSqlFunction:
    case Reason::kSystemCatalog:
    case Reason::kUnsafeView:
    case Reason::kUnsafePolicy:
    case Reason::kUnsafeOperator:
    case Reason::kUnsafeCast:
    case Reason::kUnsafeType:
    case Reason::kUnsafeDomain:
    case Reason::kUnsafeOperatorClass:
    case Reason::kCursor:  // WITH HOLD it outlives the transaction: QueryFacts::primary_only.
    case Reason::kTransaction:
    case Reason::kSessionState:
      return true;
    default:
      return false;
  }
}

}  // namespace fairlead::sql
