// SimServer: what its statements do.
#include <algorithm>
#include <array>

#include "sim/sim_server.h"
#include "wire/backend_encode.h"

namespace fairlead::sim {
namespace {

using Kind = SimStatement::Kind;
using wire::TxStatus;

constexpr std::array<std::string_view, 1> kColumn{"v"};

}  // namespace

void SimServer::complete(std::string_view tag) { wire::append_command_complete(output_, tag); }

bool SimServer::fail_statement(std::string_view sqlstate, std::string_view message) {
  fail(sqlstate, message);
  return false;
}

/// In a failed transaction only its end is understood.
bool SimServer::may_run(const SimStatement& statement) {
  const bool ends = statement.kind == Kind::kCommit || statement.kind == Kind::kRollback ||
                    statement.kind == Kind::kRollbackTo || statement.kind == Kind::kEmpty;
  if (status_ != TxStatus::kFailed || ends) return true;
  return fail_statement("25P02", "current transaction is aborted");
}

bool SimServer::select(std::string_view value, bool describe) {
  if (describe) wire::append_text_row_description(output_, kColumn);
  const std::array<std::optional<std::string_view>, 1> row{value};
  wire::append_text_data_row(output_, row);
  return true;
}

bool SimServer::execute(const SimStatement& statement, const Portal* portal, bool describe) {
  if (!may_run(statement)) return false;
  const bool ends_failed = status_ == TxStatus::kFailed;
  if (!ends_failed) implicit_ = true;
  switch (statement.kind) {
    case Kind::kSelect:
      select(statement.text, describe);
      complete("SELECT 1");
      return true;
    case Kind::kSelectParameter:
      if (portal == nullptr || !portal->parameter) return fail_statement("42P02", "no parameter");
      select(*portal->parameter, describe);
      complete("SELECT 1");
      return true;
    case Kind::kFail:
      return fail_statement("22012", "division by zero");
    case Kind::kInsert:
      if (standby_ || read_only_)
        return fail_statement("25006", "cannot execute INSERT in a read-only transaction");
      complete("INSERT 0 1");
      return true;
    case Kind::kPinCheck:
      pin_check(statement);
      return true;
    case Kind::kCopyIn:
    case Kind::kCopyInBad:
      copying_ = true;
      copy_refuses_rows_ = statement.kind == Kind::kCopyInBad;
      copied_ = 0;
      output_.append({'G', 0, 0, 0, 7, 0, 0, 0});
      return true;
    case Kind::kCopyOut:
      output_.append({'H', 0, 0, 0, 7, 0, 0, 0});
      output_.append({'d', 0, 0, 0, 6, 'x', '\n'});
      output_.append({'c', 0, 0, 0, 4});
      complete("COPY 1");
      return true;
    case Kind::kNothing:
      complete(statement.tag);
      return true;
    case Kind::kPrepare:
    case Kind::kExecute:
    case Kind::kDeallocate:
    case Kind::kDeallocateAll:
      return execute_prepared(statement, describe);
    case Kind::kShow:
      select(setting(statement.name), describe);
      complete("SHOW");
      return true;
    default:
      return execute_transaction(statement) || execute_session(statement);
  }
}

/// False: it is none of these.
bool SimServer::execute_transaction(const SimStatement& statement) {
  switch (statement.kind) {
    case Kind::kBegin:
    case Kind::kBeginReadOnly:
      if (status_ == TxStatus::kIdle) {
        status_ = TxStatus::kInTransaction;
        read_only_ = statement.kind == Kind::kBeginReadOnly;
      }
      complete(statement.tag);
      return true;
    case Kind::kSetReadOnly:
      read_only_ = read_only_ || status_ == TxStatus::kInTransaction;
      complete(statement.tag);
      return true;
    case Kind::kCommit:
    case Kind::kRollback: {
      const bool commits = statement.kind == Kind::kCommit && status_ != TxStatus::kFailed;
      status_ = TxStatus::kIdle;
      end_transaction(commits);
      complete(commits ? "COMMIT" : "ROLLBACK");
      return true;
    }
    case Kind::kSavepoint:
      if (status_ == TxStatus::kIdle) return fail("25P01", "no transaction"), false;
      savepoints_.push_back({statement.name, values_});
      complete("SAVEPOINT");
      return true;
    case Kind::kRollbackTo: {
      const auto found = std::find_if(savepoints_.rbegin(), savepoints_.rend(),
                                      [&](const Savepoint& s) { return s.name == statement.name; });
      if (status_ == TxStatus::kIdle) return fail("25P01", "no transaction"), false;
      if (found == savepoints_.rend()) return fail("3B001", "no such savepoint"), false;
      values_ = found->values;
      savepoints_.erase(found.base(), savepoints_.end());
      status_ = TxStatus::kInTransaction;
      complete("ROLLBACK");
      return true;
    }
    default:
      return false;
  }
}

bool SimServer::execute_session(const SimStatement& statement) {
  switch (statement.kind) {
    case Kind::kSet:
      values_.session[statement.name] = statement.text;
      values_.local.erase(statement.name);
      complete("SET");
      return true;
    case Kind::kSetLocal:
      if (status_ != TxStatus::kIdle) values_.local[statement.name] = statement.text;
      complete("SET");
      return true;
    case Kind::kReset:
      values_.session.erase(statement.name);
      values_.local.erase(statement.name);
      complete("RESET");
      return true;
    case Kind::kResetAll:
      values_ = {};
      complete("RESET");
      return true;
    case Kind::kDiscardAll:
      if (status_ != TxStatus::kIdle)
        return fail_statement("25001", "DISCARD ALL cannot run inside a transaction block");
      values_ = {};
      drop_statements();
      listening_.clear();
      complete("DISCARD ALL");
      end_transaction(true);  // At once, whatever comes behind it in its segment.
      return true;
    case Kind::kListen:
      // A primary takes it in a READ ONLY transaction; but that may be on a replica (B3).
      if (standby_ || read_only_)
        return fail_statement("25006", "cannot execute LISTEN during recovery");
      listening_.insert("a");
      complete("LISTEN");
      return true;
    case Kind::kUnlisten:
      listening_.clear();
      complete("UNLISTEN");
      return true;
    default:
      return false;
  }
}

bool SimServer::execute_prepared(const SimStatement& statement, bool describe) {
  switch (statement.kind) {
    case Kind::kPrepare:
      if (read_statement(statement.text).kind == Kind::kSyntaxError)
        return fail_statement("42601", "syntax error");
      if (statements_.contains(statement.name))
        return fail_statement("42P05", "the statement exists");
      statements_[statement.name] = statement.text;
      complete("PREPARE");
      return true;
    case Kind::kExecute: {
      const auto found = statements_.find(statement.name);
      if (found == statements_.end()) return fail_statement("26000", "no such statement");
      return execute(read_statement(found->second), nullptr, describe);
    }
    case Kind::kDeallocate:
      if (statements_.erase(statement.name) == 0)
        return fail_statement("26000", "no such statement");
      complete("DEALLOCATE");
      return true;
    default: {
      drop_statements();
      complete("DEALLOCATE ALL");
      return true;
    }
  }
}

/// All but the unnamed one.
void SimServer::drop_statements() {
  std::erase_if(statements_, [](const auto& statement) { return !statement.first.empty(); });
}

void SimServer::pin_check(const SimStatement& statement) {
  static constexpr std::array<std::string_view, 6> kNames{"a", "b", "c", "d", "e", "f"};
  const auto asks = [&](std::string_view what) {
    return statement.text.find(what) != std::string::npos;
  };
  const bool listens = asks("pg_listening_channels") && !listening_.empty();
  const bool prepared =
      asks("pg_prepared_statements") && std::ranges::any_of(statements_, [](const auto& s) {
        return !s.first.empty() && !s.first.starts_with("fl_");
      });
  const std::string count = std::to_string(
      std::ranges::count_if(statements_, [](const auto& s) { return s.first.starts_with("fl_"); }));
  const std::array<std::optional<std::string_view>, 6> row{
      listens ? "t" : "f",
      "f",
      "f",
      "f",
      prepared ? "t" : "f",
      asks("count(*)") ? std::optional<std::string_view>(count) : std::nullopt};
  wire::append_text_row_description(output_, kNames);
  wire::append_text_data_row(output_, row);
  complete("SELECT 1");
}

void SimServer::end_transaction(bool commit) {
  if (commit) {
    values_.local.clear();
    committed_ = values_;
    listening_committed_ = listening_;
  } else {
    values_ = committed_;
    listening_ = listening_committed_;
  }
  savepoints_.clear();
  portals_.clear();
  implicit_ = false;
  read_only_ = false;
}

}  // namespace fairlead::sim
