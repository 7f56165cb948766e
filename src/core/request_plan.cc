#include "core/request_plan.h"

#include <utility>

namespace fairlead::core {

const sql::TransactionCommand* only_command(const sql::QueryFacts& facts) {
  return facts.statements == 1 && facts.transaction.size() == 1 ? &facts.transaction[0] : nullptr;
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
