// RequestPlanner: SQL-level PREPARE, EXECUTE and DEALLOCATE, which share their names with the
// protocol's statements (C12b, C17).
#include "core/local_statement.h"
#include "core/request_planner.h"
#include "wire/backend_encode.h"
#include "wire/frontend.h"
#include "wire/message_type.h"

namespace fairlead::core {
namespace {

using sql::PreparedCommand;
using Treatment = PlannedMessage::Treatment;

}  // namespace

bool RequestPlanner::must_wait_its_turn(PlanningSources context, const SessionState& session,
                                        std::string_view bytes,
                                        std::span<const RequestMessage> messages) const {
  const auto depends = [](const sql::QueryFacts& facts) {
    return !facts.prepared.empty() || is_local_statement(facts) ||
           facts.pins.has(sql::PinEvent::kSequenceRead);
  };
  const auto waits = [&](std::string_view text) {
    const auto& entry = context.shapes->find(text, session.lex_options());
    if (depends(*entry.facts)) return true;
    if (!entry.has_comment) return false;
    const auto hints = sql::find_hints(text, session.lex_options());
    return hints && hints->explain && hints->explain->on;
  };
  for (const RequestMessage& message : messages) {
    if (!message.whole) continue;
    const std::string_view body = message.body(bytes);
    if (message.type == wire::frontend::kQuery) {
      const auto query = wire::Query::decode(body);
      if (query && waits(query->text)) return true;
    } else if (message.type == wire::frontend::kParse) {
      const auto parse = wire::Parse::decode(body);
      if (parse && waits(parse->query)) return true;
    } else if (message.type == wire::frontend::kBind) {
      const auto bind = wire::Bind::decode(body);
      const ClientStatement* known = bind ? session.statements.find(bind->statement) : nullptr;
      const auto* facts =
          known != nullptr ? static_cast<const sql::QueryFacts*>(known->facts.get()) : nullptr;
      if (facts != nullptr && depends(*facts)) return true;
    }
  }
  return false;
}

/// A Query that is one such statement, about a name that Fairlead knows. The message is the plan's
/// last. False: it goes to the server as it is.
bool RequestPlanner::plan_sql_prepared(std::string_view text,
                                       const std::shared_ptr<const sql::QueryFacts>& facts,
                                       const HintsPtr& hints, RequestPlan& plan) {
  if (facts->statements != 1 || facts->prepared.size() != 1) return false;
  const PreparedCommand& command = facts->prepared[0];
  switch (command.kind) {
    case PreparedCommand::Kind::kPrepare:
      return plan_sql_prepare(text, command, hints, plan);
    case PreparedCommand::Kind::kExecute:
      return plan_sql_execute(*facts, plan);
    case PreparedCommand::Kind::kDeallocate:
    case PreparedCommand::Kind::kDeallocateAll:
      break;
  }
  if (!is_deallocate(facts.get()) || !deallocate(command, plan.messages.back())) return false;
  plan.changes_statements = true;
  plan.executes = true;
  return true;
}

bool RequestPlanner::plan_sql_prepare(std::string_view text, const PreparedCommand& command,
                                      const HintsPtr& hints, RequestPlan& plan) {
  const std::string_view types =
      text.substr(command.name_end, command.body_begin - command.name_end);
  const size_t open = types.find('(');
  const size_t close = types.rfind(')');
  const std::string_view list =
      open == std::string_view::npos ? std::string_view{} : types.substr(open, close - open + 1);
  PreparedPtr statement = context_.registry->intern(
      PreparedKind::kSql, text.substr(command.body_begin, command.body_end - command.body_begin),
      list);
  PlannedMessage& planned = plan.messages.back();
  plan.executes = true;
  plan.local = false;
  add_decision({sql::Access::kPrimary, sql::Reason::kPreparedStatement, false}, plan);
  if (auto defined = session_->statements.define(command.name, {statement, command.body, hints});
      !defined) {
    planned.treatment = Treatment::kRefuse;
    wire::append_error(planned.answer, wire::Severity::kError, defined.error());
    return true;
  }
  planned.treatment = Treatment::kSqlPrepare;
  planned.statement = std::move(statement);
  planned.changes_statements = true;
  plan.changes_statements = true;
  return true;
}

bool RequestPlanner::plan_sql_execute(const sql::QueryFacts& text_facts, RequestPlan& plan) {
  const PreparedCommand& command = text_facts.prepared[0];
  const ClientStatement* known = session_->statements.find(command.name);
  if (known == nullptr) return false;
  PlannedMessage& planned = plan.messages.back();
  planned.treatment = Treatment::kSqlExecute;
  planned.name_begin = command.name_begin;
  planned.name_end = command.name_end;
  planned.statement = known->statement;
  if (known->hints) plan.hints.add(*known->hints);
  plan.local = false;
  add_decision(decide_execute(text_facts, *known), plan);
  add_effects(text_facts, plan);
  const auto facts = std::static_pointer_cast<const sql::QueryFacts>(known->facts);
  if (facts) add_execution(execution_of(facts, known->statement->query(), {}), plan);
  return true;
}

/// A plain EXECUTE is what it executes. CREATE TABLE AS EXECUTE is more, and so is a call of a
/// function among its arguments.
sql::Decision RequestPlanner::decide_execute(const sql::QueryFacts& facts,
                                             const ClientStatement& executed) const {
  const bool plain = facts.reason == sql::Reason::kPreparedStatement && facts.functions.empty() &&
                     facts.pins.bits == 0 && !facts.changes_catalog && !facts.opaque_side_effects;
  if (!plain) return {sql::Access::kPrimary, sql::Reason::kPreparedStatement, true, true};
  const auto its_facts = std::static_pointer_cast<const sql::QueryFacts>(executed.facts);
  return its_facts ? learnt(sql::decide(*its_facts, context_.catalog), its_facts) : sql::Decision{};
}

/// EXECUTE by the extended protocol of a statement that servers have under a name of theirs (C12c).
/// That name is told by what it stands for, so that any server that has it has the right one.
std::optional<RequestPlanner::TranslatedExecute> RequestPlanner::translate_execute(
    const ClientStatement& client) const {
  const auto* facts = static_cast<const sql::QueryFacts*>(client.facts.get());
  if (facts == nullptr || facts->prepared.size() != 1 || facts->statements != 1) return {};
  const auto parse_state = session_->variables.parse_state();
  if (!parse_state) return {};
  const PreparedCommand& command = facts->prepared[0];
  if (command.kind != PreparedCommand::Kind::kExecute) return {};
  const ClientStatement* executed = session_->statements.find(command.name);
  if (executed == nullptr) return {};
  const std::string& text = client.statement->query();
  std::string renamed = text.substr(0, command.name_begin);
  renamed.append(context_.registry->server_name(*executed->statement, *parse_state).view());
  renamed.append(text, command.name_end);
  return TranslatedExecute{context_.registry->intern(PreparedKind::kProtocol, renamed,
                                                     client.statement->parameter_types()),
                           *executed, decide_execute(*facts, *executed)};
}

/// One DEALLOCATE that is Fairlead's to carry out: not in a failed transaction, and not about
/// statements that may have been made behind its back.
bool RequestPlanner::is_deallocate(const sql::QueryFacts* facts) const {
  if (facts == nullptr || facts->statements != 1 || facts->prepared.size() != 1) return false;
  const PreparedCommand& command = facts->prepared[0];
  if (session_->status == wire::TxStatus::kFailed) return false;
  const bool is_one = command.kind == PreparedCommand::Kind::kDeallocate;
  if (is_one && session_->statements.find(command.name) != nullptr) return true;
  const PinReasons held = session_->pins.reasons() | session_->pins.suspects();
  return (is_one || command.kind == PreparedCommand::Kind::kDeallocateAll) &&
         !held.has(PinReason::kSqlPrepare);
}

/// False: there is no such name, and nothing has changed.
bool RequestPlanner::deallocate(const PreparedCommand& command, PlannedMessage& planned) {
  const bool all = command.kind == PreparedCommand::Kind::kDeallocateAll;
  if (all) {
    session_->statements.deallocate_all();
  } else if (!session_->statements.deallocate(command.name)) {
    return false;
  }
  planned.treatment = Treatment::kReply;
  planned.changes_statements = true;
  planned.answer.clear();
  wire::append_command_complete(planned.answer, all ? "DEALLOCATE ALL" : "DEALLOCATE");
  return true;
}

/// By the extended protocol, whose Execute is the plan's last message.
void RequestPlanner::execute_deallocate(const sql::QueryFacts& facts, RequestPlan& plan) {
  PlannedMessage& planned = plan.messages.back();
  plan.changes_statements = true;
  if (deallocate(facts.prepared[0], planned)) return;
  planned.treatment = Treatment::kRefuse;
  const std::string& name = facts.prepared[0].name;
  wire::append_error(
      planned.answer, wire::Severity::kError,
      {ErrorCode::kInvalidStatementName, "prepared statement \"" + name + "\" does not exist"});
}

}  // namespace fairlead::core
