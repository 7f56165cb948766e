#include "core/request_planner.h"

#include <algorithm>

#include "core/request_effects.h"
#include "core/reset_order.h"
#include "core/variable_names.h"
#include "sql/classify.h"
#include "sql/guc_values.h"
#include "wire/backend_encode.h"
#include "wire/frontend.h"
#include "wire/message_type.h"

namespace fairlead::core {
namespace {

namespace frontend = wire::frontend;
using sql::Access;
using sql::Reason;
using sql::TransactionCommand;
using Treatment = PlannedMessage::Treatment;

std::optional<std::string> argument_value(const sql::SetConfigCall::Argument& argument,
                                          const wire::BindParameters* values) {
  using Kind = sql::SetConfigCall::Kind;
  if (argument.kind == Kind::kLiteral) return argument.text;
  if (argument.kind != Kind::kParameter || values == nullptr || argument.parameter == 0)
    return std::nullopt;
  const auto text = values->text(argument.parameter - 1);
  if (!text) return std::nullopt;
  return std::string(*text);
}

/// As boolin() reads it: with blanks around it, in any case, and cut short (pgjdbc says "TRUE").
std::optional<bool> boolean_of(std::string_view word) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const size_t begin = std::min(word.find_first_not_of(kBlanks), word.size());
  const size_t end = word.find_last_not_of(kBlanks) + 1;
  return sql::parse_guc_boolean(word.substr(begin, end - std::min(begin, end)));
}

bool resets(const sql::QueryFacts& facts) {
  using Kind = sql::VariableCommand::Kind;
  if (facts.discard == sql::Discard::kAll) return true;
  return std::ranges::any_of(facts.variables, [](const sql::VariableCommand& command) {
    return command.kind == Kind::kReset || command.kind == Kind::kResetAll ||
           command.kind == Kind::kSetDefault;
  });
}

Error missing_setting_error(std::string_view setting) {
  return {ErrorCode::kFeatureNotSupported,
          "what stands behind RESET in this query would not run with the " + std::string(setting) +
              " that the connection was opened with",
          "The server is shared, and RESET there goes back to its own default; the connection's is "
          "set again behind the whole query.",
          "Send RESET, or DISCARD, as a query of its own."};
}

bool commits(const sql::QueryFacts& facts) {
  return std::ranges::any_of(facts.transaction, [](const TransactionCommand& command) {
    return command.kind == TransactionCommand::Kind::kCommit ||
           command.kind == TransactionCommand::Kind::kCommitPrepared ||
           command.kind == TransactionCommand::Kind::kPrepareTransaction;
  });
}

}  // namespace

PlannedMessage& RequestPlanner::add(const RequestMessage& message, Treatment treatment,
                                    RequestPlan& plan) {
  PlannedMessage& planned = plan.messages.emplace_back();
  planned.message = message;
  planned.treatment = treatment;
  return planned;
}

Result<void> RequestPlanner::plan(PlanningSources context, SessionState& session,
                                  std::string_view bytes, std::span<const RequestMessage> messages,
                                  RequestEnd end, bool continues, RequestPlan& plan) {
  context_ = context;
  session_ = &session;
  continues_ = continues;
  plan.clear();
  plan.end = end;
  portals_.clear();
  if (!continues) session.statements.forget_unseen();
  for (const RequestMessage& message : messages) {
    if (auto planned = plan_message(bytes, message, plan); !planned) {
      if (!message.whole) return planned;
      wire::append_error(add(message, Treatment::kRefuse, plan).answer, wire::Severity::kError,
                         planned.error());
      plan.local = false;
    }
    if (plan.messages.back().treatment == Treatment::kRefuse && end == RequestEnd::kSync) {
      // The server would skip everything up to Sync; so it is not sent, and not executed.
      if (message.type != frontend::kSync) add(messages.back(), Treatment::kForward, plan);
      break;
    }
  }
  keep_portals(plan);
  if (plan.resets) plan_follow_ups(plan, session.variables.startup());
  return {};
}

Result<void> RequestPlanner::plan_message(std::string_view bytes, const RequestMessage& message,
                                          RequestPlan& plan) {
  switch (message.type) {
    case frontend::kQuery:
      return plan_query(bytes, message, plan);
    case frontend::kParse:
      return plan_parse(bytes, message, plan);
    case frontend::kBind:
      return plan_bind(bytes, message, plan);
    case frontend::kDescribe:
      return plan_describe(bytes, message, plan);
    case frontend::kClose:
      return plan_close(bytes, message, plan);
    case frontend::kExecute:
      return plan_execute(bytes, message, plan);
    case frontend::kFunctionCall:  // F28
      plan.local = false;
      plan.executes = true;
      plan.opaque = true;
      add_decision({Access::kPrimary, Reason::kUtility, true}, plan);
      add(message, Treatment::kForward, plan);
      return {};
    default:  // Sync and Flush say nothing themselves.
      add(message, Treatment::kForward, plan);
      return {};
  }
}

std::optional<HintsPtr> RequestPlanner::take_hints(std::string_view text, bool has_comment,
                                                   const RequestMessage& message,
                                                   RequestPlan& plan) {
  if (!has_comment) return HintsPtr{};
  auto hints = sql::find_hints(text, session_->lex_options());
  if (!hints) {
    wire::append_error(add(message, Treatment::kRefuse, plan).answer, wire::Severity::kError,
                       hints.error());
    return std::nullopt;
  }
  if (hints->empty()) return HintsPtr{};
  plan.hints.add(*hints);
  return std::make_shared<const sql::Hints>(std::move(*hints));
}

/// A message of which only the head is there: it cannot be examined, so it goes to the primary, and
/// may have done anything.
void RequestPlanner::plan_unseen(const RequestMessage& message, RequestPlan& plan) {
  plan.local = false;
  plan.executes = true;
  plan.opaque = plan.opaque || message.type != frontend::kBind;
  add_decision({Access::kPrimary, Reason::kTooLarge, true}, plan);
}

sql::Decision RequestPlanner::learnt(sql::Decision decision,
                                     const std::shared_ptr<const sql::QueryFacts>& facts) const {
  const bool is_refused = decision.access == Access::kRead && context_.known != nullptr &&
                          context_.known->was_refused(facts);
  if (!is_refused) return decision;
  return {Access::kPrimary,          Reason::kReplicaErrorRetry, true, decision.opaque, true,
          decision.asks_for_sequence};
}

void RequestPlanner::add_decision(sql::Decision decision, RequestPlan& plan) {
  plan.decision.may_write = plan.decision.may_write || decision.may_write;
  plan.decision.primary_only = plan.decision.primary_only || decision.primary_only;
  plan.opaque = plan.opaque || decision.opaque;
  if (decision.asks_for_sequence) plan.pins.add(sql::PinEvent::kSequenceRead);
  plan.names_sequence_read |= decision.asks_for_sequence;
  if (plan.decision.access == Access::kPrimary) return;
  if (decision.access == Access::kPrimary || decision.reason != Reason::kEmpty) {
    plan.decision.access = decision.access;
    plan.decision.reason = decision.reason;
  }
}

Execution RequestPlanner::execution_of(const std::shared_ptr<const sql::QueryFacts>& facts,
                                       std::string_view text, std::string_view bind_body) const {
  Execution execution{.facts = facts, .set_config = {}};
  if (facts->calls_set_config) add_set_config(text, bind_body, execution);
  return execution;
}

void RequestPlanner::add_execution(Execution execution, RequestPlan& plan) {
  const sql::QueryFacts& facts = *execution.facts;
  plan.executes = true;
  add_effects(facts, plan);
  plan.copy_in |= facts.copy_in;
  plan.changes_session |= changes_session(facts);
  plan.resets |= resets(facts);
  plan.commits |= commits(facts);
  plan.prepares_unseen |= !facts.prepared.empty();
  if (may_control_transaction(facts)) {
    const TransactionCommand* command = only_command(facts);
    const bool begins = command != nullptr && command->kind == TransactionCommand::Kind::kBegin;
    const bool opens = begins && plan.executions.empty();
    if (opens) plan.opens = command->modes;
    plan.begins |= begins;
    plan.ends_inside = ends_inside_transaction(facts);
    plan.leaves_transaction |= !opens;
  }
  plan.messages.back().has_execution = true;
  if (drops_all_statements(facts)) {  // C12b: what stands behind it finds none of them.
    session_->statements.deallocate_all();
    plan.changes_statements = true;
    plan.messages.back().changes_statements = true;
  }
  plan.executions.push_back(std::move(execution));
}

/// What it does besides answering, as far as its text tells.
void RequestPlanner::add_effects(const sql::QueryFacts& facts, RequestPlan& plan) {
  plan.pins.bits = static_cast<uint16_t>(plan.pins.bits | facts.pins.bits);
  plan.names_sequence_read |= facts.pins.has(sql::PinEvent::kSequenceRead);
  plan.opaque |= facts.opaque_side_effects;
  plan.catalog_change = std::max(plan.catalog_change, catalog_change_of(facts));
  plan.changes_settings |= facts.calls_set_config || !facts.variables.empty();
}

void RequestPlanner::add_set_config(std::string_view text, std::string_view bind_body,
                                    Execution& execution) const {
  std::optional<wire::BindParameters> values;
  if (!bind_body.empty()) {
    if (const auto bind = wire::Bind::decode(bind_body)) {
      if (auto parameters = bind->parameters()) values = std::move(*parameters);
    }
  }
  for (const auto& call : sql::extract_set_config(text, session_->lex_options())) {
    const auto name = argument_value(call.name, values ? &*values : nullptr);
    const auto value = argument_value(call.value, values ? &*values : nullptr);
    const auto word = argument_value(call.is_local, values ? &*values : nullptr);
    const auto local = word ? boolean_of(*word) : std::nullopt;
    const auto canonical = name ? canonical_variable_name(*name) : std::nullopt;
    const bool is_kept = canonical && variable_class(*canonical) != VariableClass::kNotState;
    if (!is_kept || !local) {
      execution.set_config_unknown = true;
      continue;
    }
    SettingChange& change = execution.set_config.emplace_back();
    change.name = *canonical;
    change.local = *local;
    change.statement = call.statement;
    if (value && call.is_certain)
      change.setting = Setting::from_value(*value, session_->text_rules().client_encoding);
  }
}

Result<void> RequestPlanner::plan_query(std::string_view bytes, const RequestMessage& message,
                                        RequestPlan& plan) {
  if (!message.whole) {
    plan_unseen(message, plan);
    session_->statements.on_simple_query();
    add(message, Treatment::kForward, plan);
    return {};
  }
  const auto query = wire::Query::decode(message.body(bytes));
  if (!query) return std::unexpected(query.error());
  const auto& entry = context_.shapes->find(query->text, session_->lex_options());
  const sql::Decision decision = context_.shapes->decide(entry, context_.catalog);
  const std::shared_ptr<const sql::QueryFacts> facts = entry.facts;
  const auto hints = take_hints(query->text, entry.has_comment, message, plan);
  if (!hints) return {};
  if (const auto missing = find_missing_setting(*facts, session_->variables.startup())) {
    wire::append_error(add(message, Treatment::kRefuse, plan).answer, wire::Severity::kError,
                       missing_setting_error(*missing));
    return {};
  }
  session_->statements.on_simple_query();
  add(message, Treatment::kForward, plan);
  // In a failed transaction, and amid an extended segment, only the server knows what it takes.
  const bool may_translate = session_->status != wire::TxStatus::kFailed && !continues_;
  if (may_translate && plan_sql_prepared(query->text, facts, *hints, plan)) return {};
  plan.local = false;
  add_decision(learnt(decision, facts), plan);
  add_execution(execution_of(facts, query->text, {}), plan);
  return {};
}

}  // namespace fairlead::core
