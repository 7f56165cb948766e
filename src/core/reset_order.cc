#include "core/reset_order.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/replay.h"
#include "core/variable_names.h"
#include "wire/message_type.h"

namespace fairlead::core {
namespace {

using sql::VariableCommand;
using CommandKind = VariableCommand::Kind;

struct Reset {
  std::string_view name;  // Of an entry of the start-up settings.
  SetScope scope = SetScope::kSession;
};

/// In the order in which they have to be set again: roles last (C6).
using Resets = std::vector<Reset>;

void add(std::string_view name, SetScope scope, const VariableSet& startup, Resets& resets) {
  for (const auto& entry : startup.entries())
    if (entry.name == name && variable_class(name) == VariableClass::kSession)
      resets.push_back({entry.name, scope});
}

void add_all(bool roles_too, const VariableSet& startup, Resets& resets) {
  for (const auto& entry : startup.entries())
    if (!survives_reset_all(entry.name)) add(entry.name, SetScope::kSession, startup, resets);
  if (!roles_too) return;
  for (const std::string_view name : {"session_authorization", "role"})
    add(name, SetScope::kSession, startup, resets);
}

/// What the command resets of the start-up settings.
Resets resets_of(const VariableCommand& command, const VariableSet& startup) {
  Resets resets;
  const auto scope =
      command.scope == VariableCommand::Scope::kLocal ? SetScope::kLocal : SetScope::kSession;
  if (command.kind == CommandKind::kResetAll) add_all(false, startup, resets);
  if (command.kind != CommandKind::kReset && command.kind != CommandKind::kSetDefault)
    return resets;
  add(command.name, scope, startup, resets);
  if (command.name == "session_authorization") add("role", scope, startup, resets);
  return resets;
}

Resets resets_of(const sql::QueryFacts& facts, const VariableSet& startup) {
  Resets resets;
  if (facts.discard == sql::Discard::kAll) add_all(true, startup, resets);
  for (const VariableCommand& command : facts.variables) {
    const Resets more = resets_of(command, startup);
    resets.insert(resets.end(), more.begin(), more.end());
  }
  return resets;
}

bool is_last(const RequestPlan& plan, size_t index) {
  return plan.end == RequestEnd::kSync &&
         std::ranges::all_of(plan.messages.begin() + static_cast<ptrdiff_t>(index) + 1,
                             plan.messages.end(), [](const PlannedMessage& planned) {
                               return planned.message.type == wire::frontend::kSync;
                             });
}

}  // namespace

void plan_follow_ups(RequestPlan& plan, const VariableSet& startup) {
  size_t execution = 0;
  for (size_t i = 0; i < plan.messages.size(); ++i) {
    PlannedMessage& planned = plan.messages[i];
    if (!planned.has_execution) continue;
    const sql::QueryFacts& facts = *plan.executions[execution++].facts;
    const bool can_follow = planned.message.type == wire::frontend::kExecute &&
                            planned.treatment == PlannedMessage::Treatment::kForward;
    if (!can_follow || is_last(plan, i)) continue;
    for (const auto& [name, scope] : resets_of(facts, startup)) {
      planned.treatment = PlannedMessage::Treatment::kFollowUp;
      append_set(planned.answer, name, *startup.find(name), scope);
      planned.answer += '\0';
    }
  }
}

std::optional<std::string_view> find_missing_setting(const sql::QueryFacts& facts,
                                                     const VariableSet& startup) {
  if (facts.statements < 2 || facts.variables.empty() || startup.empty()) return std::nullopt;
  std::vector<std::string_view> missing;
  auto command = facts.variables.begin();
  for (size_t statement = 0; statement < facts.statements; ++statement) {
    const bool is_indifferent = std::ranges::binary_search(facts.indifferent, statement);
    if (!is_indifferent && !missing.empty()) return missing.front();
    for (; command != facts.variables.end() && command->statement == statement; ++command) {
      for (const Reset& reset : resets_of(*command, startup))
        if (reset.name != "application_name") missing.push_back(reset.name);
      if (command->kind == CommandKind::kSet) std::erase(missing, command->name);
    }
  }
  return std::nullopt;
}

}  // namespace fairlead::core
