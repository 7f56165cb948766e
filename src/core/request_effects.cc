#include "core/request_effects.h"

#include <algorithm>

#include "core/variable_names.h"

namespace fairlead::core {
namespace {

using sql::PinEvent;
using sql::TransactionCommand;
using sql::VariableCommand;

std::string_view word_of(sql::Isolation isolation) {
  switch (isolation) {
    case sql::Isolation::kReadUncommitted:
      return "read uncommitted";
    case sql::Isolation::kReadCommitted:
      return "read committed";
    case sql::Isolation::kRepeatableRead:
      return "repeatable read";
    case sql::Isolation::kSerializable:
      return "serializable";
  }
  return "read committed";
}

void apply_characteristics(const sql::TransactionModes& modes, SessionVariables& variables) {
  const auto set = [&](std::string_view name, std::string_view value) {
    variables.on_set(name, Setting::from_value(value, "UTF8"), SetScope::kSession);
  };
  if (modes.isolation) set("default_transaction_isolation", word_of(*modes.isolation));
  if (modes.read_only) set("default_transaction_read_only", *modes.read_only ? "on" : "off");
  if (modes.deferrable) set("default_transaction_deferrable", *modes.deferrable ? "on" : "off");
}

void apply_variable(const VariableCommand& command, SessionState& session) {
  SessionVariables& variables = session.variables;
  const auto scope =
      command.scope == VariableCommand::Scope::kLocal ? SetScope::kLocal : SetScope::kSession;
  switch (command.kind) {
    case VariableCommand::Kind::kSet:
      variables.on_set(command.name,
                       Setting::from_argument(command.name, command.argument, session.text_rules()),
                       scope);
      return;
    case VariableCommand::Kind::kSetDefault:
    case VariableCommand::Kind::kReset:
      variables.on_reset(command.name, scope);
      return;
    case VariableCommand::Kind::kResetAll:
      variables.on_reset_all();
      return;
    case VariableCommand::Kind::kSessionCharacteristics:
      apply_characteristics(command.modes, variables);
      return;
    case VariableCommand::Kind::kTransaction:
    case VariableCommand::Kind::kTransactionSnapshot:
      return;  // Of this transaction only: its server knows.
  }
}

void apply_set_config(const SettingChange& change, SessionVariables& variables) {
  const VariableClass kind = variable_class(change.name);
  if (kind != VariableClass::kSession && kind != VariableClass::kProxy) return;
  variables.on_set(change.name, change.setting,
                   change.local ? SetScope::kLocal : SetScope::kSession);
}

void apply_transaction(const TransactionCommand& command, bool rolled_back,
                       SessionVariables& variables) {
  using Kind = TransactionCommand::Kind;
  switch (command.kind) {
    case Kind::kCommit:
      rolled_back ? variables.on_rollback() : variables.on_commit();
      return;
    case Kind::kPrepareTransaction:
      rolled_back ? variables.on_rollback() : variables.on_commit();
      return;
    case Kind::kRollback:
      variables.on_rollback();
      return;
    case Kind::kSavepoint:
      variables.on_savepoint(command.name);
      return;
    case Kind::kRollbackTo:
      variables.on_rollback_to(command.name);
      return;
    case Kind::kRelease:
      variables.on_release(command.name);
      return;
    case Kind::kBegin:
    case Kind::kCommitPrepared:
    case Kind::kRollbackPrepared:
      return;
  }
}

}  // namespace

void apply_execution(const Execution& execution, size_t completed, SessionState& session) {
  const sql::QueryFacts& facts = *execution.facts;
  if (execution.set_config_unknown) session.pins.on_opaque();
  const auto apply_each = [&](const auto& of_statement, size_t statement, auto apply) {
    for (const auto& one : of_statement)
      if (one.statement == statement) apply(one);
  };
  for (size_t statement = 0; statement < completed; ++statement) {
    const bool rolled_back =
        std::ranges::find(execution.rolled_back, statement) != execution.rolled_back.end();
    apply_each(facts.variables, statement,
               [&](const VariableCommand& command) { apply_variable(command, session); });
    apply_each(execution.set_config, statement,
               [&](const SettingChange& change) { apply_set_config(change, session.variables); });
    apply_each(facts.transaction, statement, [&](const TransactionCommand& command) {
      apply_transaction(command, rolled_back, session.variables);
    });
  }
  const bool is_whole = completed == facts.statements;
  if (is_whole && facts.discard == sql::Discard::kAll) session.variables.on_discard_all();
}

bool drops_all_statements(const sql::QueryFacts& facts) {
  return facts.discard == sql::Discard::kAll ||
         (!facts.prepared.empty() &&
          facts.prepared.back().kind == sql::PreparedCommand::Kind::kDeallocateAll);
}

void apply_ready(wire::TxStatus status, bool failed, SessionState& session) {
  if (status == wire::TxStatus::kIdle)
    failed ? session.variables.on_rollback() : session.variables.on_commit();
  session.status = status;
}

void note_pins(sql::PinEvents events, bool opaque, PinState& pins) {
  const auto create = [&](PinEvent event, PinReason reason) {
    if (events.has(event)) pins.may_create({reason});
  };
  const auto release = [&](PinEvent event, PinReason reason) {
    if (events.has(event)) pins.may_release({reason});
  };
  create(PinEvent::kListen, PinReason::kListen);
  create(PinEvent::kHoldCursor, PinReason::kHoldCursor);
  create(PinEvent::kAdvisoryLock, PinReason::kAdvisoryLock);
  create(PinEvent::kTempObject, PinReason::kTempObject);
  release(PinEvent::kUnlisten, PinReason::kListen);
  release(PinEvent::kUnlistenAll, PinReason::kListen);
  release(PinEvent::kCloseCursor, PinReason::kHoldCursor);
  release(PinEvent::kCloseAllCursors, PinReason::kHoldCursor);
  release(PinEvent::kAdvisoryUnlock, PinReason::kAdvisoryLock);
  release(PinEvent::kAdvisoryUnlockAll, PinReason::kAdvisoryLock);
  release(PinEvent::kTempDropsOnCommit, PinReason::kTempObject);
  release(PinEvent::kDrop, PinReason::kTempObject);
  release(PinEvent::kDeallocate, PinReason::kSqlPrepare);
  if (events.has(PinEvent::kLoad)) pins.pin(PinReason::kLibrary);
  if (opaque) pins.on_opaque();
}

}  // namespace fairlead::core
