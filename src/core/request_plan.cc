#include "core/request_plan.h"

#include <algorithm>
#include <utility>

#include "wire/message_type.h"

namespace fairlead::core {

const sql::TransactionCommand* only_command(const sql::QueryFacts& facts) {
  return facts.statements == 1 && facts.transaction.size() == 1 ? &facts.transaction[0] : nullptr;
}

bool may_control_transaction(const sql::QueryFacts& facts) {
  using Kind = sql::TransactionCommand::Kind;
  return std::ranges::any_of(facts.transaction, [](const sql::TransactionCommand& command) {
    return command.kind != Kind::kSavepoint && command.kind != Kind::kRollbackTo &&
           command.kind != Kind::kRelease;
  });
}

bool ends_inside_transaction(const sql::QueryFacts& facts) {
  using Kind = sql::TransactionCommand::Kind;
  bool inside = false;
  for (const sql::TransactionCommand& command : facts.transaction) {
    if (command.kind == Kind::kBegin) inside = true;
    if (command.kind == Kind::kCommit || command.kind == Kind::kRollback ||
        command.kind == Kind::kPrepareTransaction)
      inside = command.chain;
  }
  return inside;
}

bool ends_with_ready(RequestEnd end, const RequestPlan& plan) {
  if (end == RequestEnd::kSync || end == RequestEnd::kQuery || end == RequestEnd::kCall)
    return true;
  if (end != RequestEnd::kOversize || plan.messages.empty()) return false;
  const char last = plan.messages.back().message.type;
  return last == wire::frontend::kQuery || last == wire::frontend::kFunctionCall;
}

bool changes_session(const sql::QueryFacts& facts) {
  return facts.calls_set_config || !facts.variables.empty() || !facts.transaction.empty() ||
         !facts.prepared.empty() || facts.discard != sql::Discard::kNone;
}

CatalogChange catalog_change_of(const sql::QueryFacts& facts) {
  if (!facts.changes_catalog)
    return facts.opaque_side_effects ? CatalogChange::kPerhaps : CatalogChange::kNone;
  return facts.may_unprove_reads && !facts.opaque_side_effects ? CatalogChange::kUnprovesReads
                                                               : CatalogChange::kSeen;
}

void RequestPlan::clear() {
  std::vector<PlannedMessage> kept_messages = std::move(messages);
  std::vector<Execution> kept_executions = std::move(executions);
  kept_messages.clear();
  kept_executions.clear();
  *this = RequestPlan{};
  messages = std::move(kept_messages);
  executions = std::move(kept_executions);
}

}  // namespace fairlead::core
