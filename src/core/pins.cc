#include "core/pins.h"

#include <array>
#include <charconv>

namespace fairlead::core {
namespace {

struct PinWords {
  std::string_view name;
  std::string_view sentence;
};

/// In the order of the enum; docs and SHOW PINS print this table.
constexpr std::array<PinWords, kPinReasonCount> kPinWords{{
    {"listen", "LISTEN is in effect, until UNLISTEN or DISCARD ALL"},
    {"hold_cursor", "a cursor WITH HOLD is open, until CLOSE or DISCARD ALL"},
    {"advisory_lock",
     "a session-level advisory lock is held, until it is unlocked as often as it was taken"},
    {"temp_object", "a temporary table or another object in pg_temp exists, until it is dropped"},
    {"sql_prepare",
     "a statement was prepared that cannot be prepared again elsewhere, until DEALLOCATE"},
    {"sequence", "currval() or lastval() may be asked for, until DISCARD SEQUENCES"},
    {"library", "LOAD was used, until the client disconnects"},
    {"session_state",
     "a function or DO block may have changed the session unseen, until DISCARD ALL"},
    {"replication", "a replication connection, until the client disconnects"},
    {"session_pooling", "pool_mode is session, until the client disconnects"},
}};

/// One EXISTS for each verifiable reason, in the order of the enum.
struct CheckColumn {
  PinReason reason;
  std::string_view sql;
};
/// Without the one that only serves to make others (request_writer.cc).
constexpr std::string_view kCountStatements =
    "(SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_statements WHERE "
    "pg_catalog.starts_with(name,'fl_') AND name OPERATOR(pg_catalog.<>) 'fl_preparing')";

constexpr std::array<CheckColumn, 5> kCheckColumns{{
    {PinReason::kListen, "EXISTS(SELECT FROM pg_catalog.pg_listening_channels())"},
    {PinReason::kHoldCursor, "EXISTS(SELECT FROM pg_catalog.pg_cursors WHERE is_holdable)"},
    {PinReason::kAdvisoryLock,
     "EXISTS(SELECT FROM pg_catalog.pg_locks WHERE locktype OPERATOR(pg_catalog.=) 'advisory' "
     "AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())"},
    // Whatever lies in a schema depends on it: tables, types, functions, operators. 2615 is
    // pg_namespace; without a temporary schema nothing depends on its object id, 0.
    {PinReason::kTempObject,
     "EXISTS(SELECT FROM pg_catalog.pg_depend WHERE refclassid OPERATOR(pg_catalog.=) 2615::"
     "pg_catalog.oid AND refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema())"},
    {PinReason::kSqlPrepare,
     "EXISTS(SELECT FROM pg_catalog.pg_prepared_statements "
     "WHERE NOT pg_catalog.starts_with(name,'fl_'))"},
}};

}  // namespace

std::string_view name_of(PinReason reason) { return kPinWords[static_cast<size_t>(reason)].name; }

std::string_view sentence_of(PinReason reason) {
  return kPinWords[static_cast<size_t>(reason)].sentence;
}

std::string to_string(PinReasons reasons) {
  std::string text;
  for (uint8_t i = 0; i < kPinReasonCount; ++i) {
    const auto reason = static_cast<PinReason>(i);
    if (!reasons.has(reason)) continue;
    if (!text.empty()) text += ", ";
    text += name_of(reason);
  }
  return text;
}

void PinState::may_create(PinReasons reasons) {
  maybe_created_ = maybe_created_ | (reasons & kVerifiablePins);
}

void PinState::may_release(PinReasons reasons) {
  maybe_released_ = maybe_released_ | (reasons & kVerifiablePins);
}

void PinState::on_opaque() {
  may_create(kVerifiablePins);
  may_release(kVerifiablePins);
  dirty_ = true;
}

void PinState::pin(PinReason reason) { pinned_ = pinned_ | PinReasons{reason}; }

void PinState::unpin(PinReason reason) { pinned_ = pinned_ - PinReasons{reason}; }

ReleaseAction PinState::at_boundary() const {
  // While one reason holds for certain, the others can wait for their check.
  if (!(pinned_ - maybe_released_).empty()) return ReleaseAction::kKeep;
  if (!suspects().empty()) return ReleaseAction::kCheck;
  return dirty_ ? ReleaseAction::kReset : ReleaseAction::kReuse;
}

PinReasons PinState::suspects() const { return maybe_created_ | (pinned_ & maybe_released_); }

void PinState::on_check(PinReasons found) {
  const PinReasons asked = suspects();
  pinned_ = (pinned_ - asked) | (found & asked);
  maybe_created_ = maybe_released_ = {};
}

void PinState::on_discard_all() {
  pinned_ = pinned_ &
            PinReasons{PinReason::kLibrary, PinReason::kReplication, PinReason::kSessionPooling};
  maybe_created_ = maybe_released_ = {};
  dirty_ = false;
}

void PinState::on_discard_all_amid() {
  const PinReasons created = maybe_created_;
  const bool dirty = dirty_;
  on_discard_all();
  maybe_created_ = created;
  dirty_ = dirty;
}

void PinState::on_server_left() {
  on_discard_all();
  unpin(PinReason::kLibrary);
}

std::string check_query(PinReasons ask) {
  std::string sql = "SELECT ";
  for (const auto& [reason, column] : kCheckColumns) {
    if (!sql.ends_with(' ')) sql += ',';
    sql += ask.has(reason) ? column : "false";
  }
  sql += ',';
  sql += ask.has(PinReason::kSqlPrepare) ? kCountStatements : "NULL";
  return sql;
}

Result<PinCheck> parse_check_row(std::span<const std::string_view> columns) {
  if (columns.size() != kCheckColumns.size() + 1)
    return fail(ErrorCode::kProtocolViolation,
                "the check of a server has a wrong number of columns");
  PinCheck check;
  for (size_t i = 0; i < kCheckColumns.size(); ++i) {
    if (columns[i] == "t") {
      check.found = check.found | PinReasons{kCheckColumns[i].reason};
    } else if (columns[i] != "f") {
      return fail(ErrorCode::kProtocolViolation,
                  "the check of a server has a column that is neither true nor false");
    }
  }
  const std::string_view count = columns.back();
  if (count.empty()) return check;
  size_t statements = 0;
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), statements);
  if (error != std::errc{} || end != count.data() + count.size())
    return fail(ErrorCode::kProtocolViolation,
                "the check of a server has a number of statements that is none");
  check.statements = statements;
  return check;
}

}  // namespace fairlead::core
