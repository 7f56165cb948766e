#include "sql/advice.h"

#include "base/assert.h"

namespace fairlead::sql {

namespace {

// Of what is called, by name or unnamed; empty for other reasons.
std::string_view advice_about_calls(Reason reason) {
  switch (reason) {
    case Reason::kVolatileFunction:
    case Reason::kUnsafeView:
    case Reason::kUnsafePolicy:
    case Reason::kUnsafeOperator:
    case Reason::kUnsafeCast:
    case Reason::kUnsafeDomain:
    case Reason::kUnsafeOperatorClass:
      return "If the function never writes, say so: ALTER FUNCTION ... STABLE, or "
             "replica_functions in the configuration.";
    case Reason::kUnsafeType:
      return "If the type's extension never writes, name it in trusted_extensions.";
    case Reason::kUnknownFunction:
      return "A function in SQL or PL/pgSQL that is marked STABLE or IMMUTABLE is believed; so is "
             "one that trusted_extensions or replica_functions names.";
    case Reason::kPrimaryList:
      return "Take the name out of primary_functions or primary_relations.";
    default:
      return {};
  }
}

}  // namespace

std::string_view advice(Reason reason) {
  if (const std::string_view text = advice_about_calls(reason); !text.empty()) return text;
  switch (reason) {
    case Reason::kRead:
      return "An open transaction, a pin, /* fairlead.route=primary */, or no replica that is "
             "fresh enough sends it to the primary.";
    case Reason::kWrite:
    case Reason::kDdl:
    case Reason::kCopyFrom:
    case Reason::kSelectInto:
    case Reason::kMaintenance:
    case Reason::kTwoPhase:
    case Reason::kReadWriteTransaction:
      return "Nothing: only the primary can execute it.";
    case Reason::kRowLock:
      return "Without FOR UPDATE or FOR SHARE it is a read, if nobody relies on the lock.";
    case Reason::kWritingCte:
      return "Separate the writing part: what is left of the WITH query may be a read.";
    case Reason::kCopyToFile:
      return "COPY ... TO STDOUT of a plain query is a read.";
    case Reason::kPrimaryRelation:
      return "ALTER TABLE ... SET LOGGED where it is unlogged, replica_relations where it is "
             "foreign; a sequence stays.";
    case Reason::kUnknownRelation:
      return "Nothing: a new table is known within seconds; a WITH query or a table of this name "
             "has to exist.";
    case Reason::kUtility:
    case Reason::kLock:
    case Reason::kNotify:
    case Reason::kListen:
    case Reason::kTempObject:
      return "Nothing: it belongs on the primary.";
    case Reason::kParseError:
      return "If it is valid PostgreSQL, it is newer than Fairlead's grammar (version 15).";
    case Reason::kTooLarge:
      return "A shorter statement, or one with parameters instead of literals, is examined.";
    case Reason::kMultiStatementWrite:
      return "Send the reads in a message of their own.";
    case Reason::kSessionFunction:
      return "Nothing: the answer depends on what this session did before.";
    case Reason::kNodeFunction:
    case Reason::kSystemCatalog:
      return "Ask for a replica's own answer on the read port.";
    case Reason::kDynamicSqlFunction:
      return "Write the inner query as a query, so that it can be examined.";
    case Reason::kAdvisoryLock:
      return "Nothing: the lock has to be where the others take it.";
    case Reason::kProcedure:
      return "If it only reads, make it a function that is marked STABLE, and SELECT it.";
    case Reason::kCursor:
      return "Declare it in a READ ONLY transaction: a replica serves all of that.";
    case Reason::kSerializable:
      return "REPEATABLE READ, READ ONLY gives a snapshot that a replica can serve.";
    case Reason::kNonstandardStrings:
      return "SET standard_conforming_strings = on, or write E'...' strings.";
    case Reason::kClientEncoding:
      return "SET client_encoding = 'UTF8'.";
    case Reason::kTransaction:
      return "BEGIN READ ONLY sends the whole transaction to a replica; transaction_reads = "
             "\"until_write\" sends its reads there until it writes.";
    case Reason::kSessionState:
      return "Nothing: it changes the session, and the session's statements go where they belong.";
    case Reason::kPreparedStatement:
      return "In a session, EXECUTE goes where the statement itself would go.";
    case Reason::kHint:
      return "Leave the hint out.";
    case Reason::kPortPrimary:
    case Reason::kPortReplica:
      return "Connect to the automatic port.";
    case Reason::kInTransaction:
    case Reason::kUpgrade:
      return "Outside of the transaction it is decided by itself; BEGIN READ ONLY sends all of a "
             "transaction to a replica.";
    case Reason::kTransactionReadOnly:
      return "Without READ ONLY the transaction runs on the primary.";
    case Reason::kUntilWrite:
      return "transaction_reads = \"primary\" keeps such transactions on the primary.";
    case Reason::kPinned:
      return "The end of the pin's cause; SHOW PINS names it.";
    case Reason::kOwnWrite:
      return "A replica that catches up, a longer freshness_wait, or consistency \"eventual\".";
    case Reason::kNoReplica:
      return "A replica that is up and within max_lag.";
    case Reason::kCatalogLoading:
      return "With -c FILE or --primary URL the database is asked about these functions.";
    case Reason::kObserve:
      return "mode = \"split\" in the configuration.";
    case Reason::kPipelineOpen:
      return "A Sync between the statements.";
    case Reason::kReplicaErrorRetry:
      return "It is decided anew the next time.";
    case Reason::kEmpty:
    case Reason::kLocal:
      return "Nothing: no server is needed.";
    default:
      break;
  }
  unreachable("every Reason has an advice");
}

}  // namespace fairlead::sql
