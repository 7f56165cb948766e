// RequestPlanner: SQL-level PREPARE, EXECUTE and DEALLOCATE, which share their names with the
// protocol's statements (C12b, C17).
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
  const auto is_about_names = [&](std::string_view text) {
    return !context.shapes->find(text, session.lex_options()).facts->prepared.empty();
  };
  for (const RequestMessage& message : messages) {
    if (!message.whole) continue;
    const std::string_view body = message.body(bytes);
    if (message.type == wire::frontend::kQuery) {
      const auto query = wire::Query::decode(body);
      if (query && is_about_names(query->text)) return true;
    } else if (message.type == wire::frontend::kParse) {
      const auto parse = wire::Parse::decode(body);
      if (parse && is_about_names(parse->query)) return true;
    } else if (message.type == wire::frontend::kBind) {
      const auto bind = wire::Bind::decode(body);
      const ClientStatement* known = bind ? session.statements.find(bind->statement) : nullptr;
      if (known != nullptr && known->facts &&
          !std::static_pointer_cast<const sql::QueryFacts>(known->facts)->prepared.empty())
        return true;
    }
  }
  return false;
}

/// A Query that is one such statement, about a name that Fairlead knows. The message is the plan's
/// last. False: it goes to the server as it is.
bool RequestPlanner::plan_sql_prepared(std::string_view text,
                                       const std::shared_ptr<const sql::QueryFacts>& facts,
                                       RequestPlan& plan) {
  if (facts->statements != 1 || facts->prepared.size() != 1) return false;
  const PreparedCommand& command = facts->prepared[0];
  switch (command.kind) {
    case PreparedCommand::Kind::kPrepare:
      return plan_sql_prepare(text, command, plan);
    case PreparedCommand::Kind::kExecute:
      return plan_sql_execute(command, plan);
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
                                      RequestPlan& plan) {
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
  if (auto defined = session_->statements.define(command.name, {statement, command.body});
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

bool RequestPlanner::plan_sql_execute(const PreparedCommand& command, RequestPlan& plan) {
  const ClientStatement* known = session_->statements.find(command.name);
  if (known == nullptr) return false;
  PlannedMessage& planned = plan.messages.back();
  planned.treatment = Treatment::kSqlExecute;
  planned.name_begin = command.name_begin;
  planned.name_end = command.name_end;
  planned.statement = known->statement;
  plan.local = false;
  const auto facts = std::static_pointer_cast<const sql::QueryFacts>(known->facts);
  add_decision(facts ? sql::decide(*facts, context_.catalog) : sql::Decision{}, plan);
  if (facts) add_execution(facts, known->statement->query(), {}, plan);
  return true;
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
