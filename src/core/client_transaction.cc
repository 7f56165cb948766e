#include "core/client_transaction.h"

#include <algorithm>

namespace fairlead::core {
namespace {

using sql::Isolation;
using sql::TransactionCommand;
using sql::TransactionModes;
using sql::VariableCommand;

bool is_plain_end(const TransactionCommand& command) {
  using Kind = TransactionCommand::Kind;
  return (command.kind == Kind::kCommit || command.kind == Kind::kRollback) && !command.chain;
}

const TransactionModes* set_transaction(const sql::QueryFacts& facts) {
  const bool is_one = facts.statements == 1 && facts.variables.size() == 1 &&
                      facts.variables[0].kind == VariableCommand::Kind::kTransaction;
  return is_one ? &facts.variables[0].modes : nullptr;
}

std::string_view words_of(Isolation isolation) {
  switch (isolation) {
    case Isolation::kReadUncommitted:
      return "READ UNCOMMITTED";
    case Isolation::kReadCommitted:
      return "READ COMMITTED";
    case Isolation::kRepeatableRead:
      return "REPEATABLE READ";
    case Isolation::kSerializable:
      return "SERIALIZABLE";
  }
  return "SERIALIZABLE";
}

}  // namespace

std::optional<std::string_view> ClientTransaction::tag_of(const sql::QueryFacts& facts,
                                                          bool may_begin) const {
  using Kind = TransactionCommand::Kind;
  const TransactionCommand* command = only_command(facts);
  switch (stage_) {
    case Stage::kNone:
      if (!may_begin || command == nullptr || command->kind != Kind::kBegin) return {};
      return command->is_start ? "START TRANSACTION" : "BEGIN";
    case Stage::kDeferred:
      if (set_transaction(facts) != nullptr) return "SET";
      if (command == nullptr || !is_plain_end(*command)) return {};
      return command->kind == Kind::kCommit ? "COMMIT" : "ROLLBACK";
    case Stage::kFailed:
      if (command == nullptr || !is_plain_end(*command)) return {};
      return "ROLLBACK";  // B11
    case Stage::kBegun:
    case Stage::kActive:
      break;
  }
  return {};
}

void ClientTransaction::take(const sql::QueryFacts& facts, const sql::Hints& hints) {
  if (const TransactionModes* set = set_transaction(facts)) {  // B7
    if (set->isolation) modes_.isolation = set->isolation;
    if (set->read_only) modes_.read_only = set->read_only;
    if (set->deferrable) modes_.deferrable = set->deferrable;
    return;
  }
  const TransactionCommand& command = facts.transaction[0];
  if (command.kind != TransactionCommand::Kind::kBegin) return on_end();
  *this = {};
  stage_ = Stage::kDeferred;
  modes_ = command.modes;
  if (!hints.empty()) hints_ = std::make_unique<sql::Hints>(hints);
}

std::string ClientTransaction::sql(bool asks_isolation) const {
  std::string text = "BEGIN";
  if (modes_.isolation) text.append(" ISOLATION LEVEL ").append(words_of(*modes_.isolation));
  if (modes_.read_only) text.append(*modes_.read_only ? " READ ONLY" : " READ WRITE");
  if (modes_.deferrable) text.append(*modes_.deferrable ? " DEFERRABLE" : " NOT DEFERRABLE");
  if (asks_isolation) text.append(";SHOW transaction_isolation");
  return text;
}

void ClientTransaction::on_begun(bool on_replica) {
  stage_ = Stage::kBegun;
  until_write_ = until_write_ && on_replica;
}

void ClientTransaction::on_sent() {
  if (stage_ == Stage::kBegun) stage_ = Stage::kActive;
}

void ClientTransaction::defer_again(bool to_primary) {
  stage_ = Stage::kDeferred;
  to_primary_ = to_primary_ || to_primary;
}

bool is_movable_read(const RequestPlan& plan) {
  const bool is_whole = plan.end == RequestEnd::kQuery || plan.end == RequestEnd::kSync;
  return is_whole && plan.decision.access == sql::Access::kRead && plan.pins.bits == 0 &&
         !plan.opaque && !plan.changes_session && !plan.prepares_unseen && !plan.session_bound &&
         !plan.keeps_portal;
}

bool ends_transaction(const RequestPlan& plan) {
  if (plan.executions.size() != 1) return false;
  const TransactionCommand* command = only_command(*plan.executions[0].facts);
  return command != nullptr && is_plain_end(*command);
}

bool is_read_committed(Isolation isolation) {
  return isolation == Isolation::kReadCommitted || isolation == Isolation::kReadUncommitted;
}

bool is_read_committed(std::string_view isolation) {
  return isolation == "read committed" || isolation == "read uncommitted";
}

}  // namespace fairlead::core
