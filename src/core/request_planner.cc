#include "core/request_planner.h"

#include <algorithm>

#include "core/variable_names.h"
#include "sql/classify.h"
#include "wire/backend_encode.h"
#include "wire/frontend.h"
#include "wire/message_type.h"
#include "wire/printable.h"

namespace fairlead::core {
namespace {

namespace frontend = wire::frontend;
using sql::Access;
using sql::Reason;
using sql::TransactionCommand;
using Treatment = PlannedMessage::Treatment;

std::shared_ptr<const sql::QueryFacts> facts_of(const ClientStatement& statement) {
  return std::static_pointer_cast<const sql::QueryFacts>(statement.facts);
}

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

bool is_true(std::string_view word) {
  return word == "true" || word == "t" || word == "on" || word == "1" || word == "yes";
}

/// The only statement of the request is this transaction command.
const TransactionCommand* only_command(const sql::QueryFacts& facts) {
  return facts.statements == 1 && facts.transaction.size() == 1 ? &facts.transaction[0] : nullptr;
}

bool changes_session(const sql::QueryFacts& facts) {
  return facts.calls_set_config || !facts.variables.empty() || !facts.transaction.empty() ||
         facts.discard != sql::Discard::kNone;
}

bool resets(const sql::QueryFacts& facts) {
  using Kind = sql::VariableCommand::Kind;
  if (facts.discard == sql::Discard::kAll) return true;
  return std::ranges::any_of(facts.variables, [](const sql::VariableCommand& command) {
    return command.kind == Kind::kReset || command.kind == Kind::kResetAll ||
           command.kind == Kind::kSetDefault;
  });
}

/// What FETCH and EXECUTE return is fixed when they are parsed, by the session that parses them.
bool is_session_bound(const sql::QueryFacts& facts) {
  return facts.reason == Reason::kCursor ||
         std::ranges::any_of(facts.prepared, [](const sql::PreparedCommand& command) {
           return command.kind == sql::PreparedCommand::Kind::kExecute;
         });
}

/// By the extended protocol it is made as it stands, under the client's own name (C17).
bool is_sql_prepare(const sql::QueryFacts& facts) {
  return std::ranges::any_of(facts.prepared, [](const sql::PreparedCommand& command) {
    return command.kind == sql::PreparedCommand::Kind::kPrepare;
  });
}

bool commits(const sql::QueryFacts& facts) {
  return std::ranges::any_of(facts.transaction, [](const TransactionCommand& command) {
    return command.kind == TransactionCommand::Kind::kCommit ||
           command.kind == TransactionCommand::Kind::kCommitPrepared;
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

bool RequestPlanner::refuse_bad_hint(std::string_view text, bool has_comment,
                                     const RequestMessage& message, RequestPlan& plan) {
  if (!has_comment) return false;
  auto hints = sql::find_hints(text, session_->lex_options());
  if (hints) {
    plan.hints = std::move(*hints);
    return false;
  }
  wire::append_error(add(message, Treatment::kRefuse, plan).answer, wire::Severity::kError,
                     hints.error());
  return true;
}

/// A message of which only the head is there: it cannot be examined, so it goes to the primary, and
/// may have done anything.
void RequestPlanner::plan_unseen(const RequestMessage& message, RequestPlan& plan) {
  plan.local = false;
  plan.executes = true;
  plan.opaque = plan.opaque || message.type != frontend::kBind;
  add_decision({Access::kPrimary, Reason::kTooLarge, true}, plan);
}

void RequestPlanner::add_decision(sql::Decision decision, RequestPlan& plan) {
  plan.decision.may_write = plan.decision.may_write || decision.may_write;
  if (plan.decision.access == Access::kPrimary) return;
  if (decision.access == Access::kPrimary || decision.reason != Reason::kEmpty) {
    plan.decision.access = decision.access;
    plan.decision.reason = decision.reason;
  }
}

void RequestPlanner::add_execution(const std::shared_ptr<const sql::QueryFacts>& facts,
                                   std::string_view text, std::string_view bind_body,
                                   RequestPlan& plan) {
  plan.executes = true;
  plan.pins.bits = static_cast<uint16_t>(plan.pins.bits | facts->pins.bits);
  plan.opaque |= facts->opaque_side_effects;
  plan.changes_catalog |= facts->changes_catalog;
  plan.changes_session |= changes_session(*facts);
  plan.resets |= resets(*facts);
  plan.commits |= commits(*facts);
  plan.prepares_unseen |= facts->statements > 1 && !facts->prepared.empty();
  if (const TransactionCommand* command = only_command(*facts);
      command != nullptr && command->kind == TransactionCommand::Kind::kBegin) {
    plan.begin = command->modes;
  }
  plan.messages.back().has_execution = true;
  Execution& execution = plan.executions.emplace_back(Execution{.facts = facts, .set_config = {}});
  if (facts->calls_set_config) add_set_config(text, bind_body, execution);
}

void RequestPlanner::add_set_config(std::string_view text, std::string_view bind_body,
                                    Execution& execution) {
  std::optional<wire::BindParameters> values;
  if (!bind_body.empty()) {
    if (const auto bind = wire::Bind::decode(bind_body)) {
      if (auto parameters = bind->parameters()) values = std::move(*parameters);
    }
  }
  for (const auto& call : sql::extract_set_config(text, session_->lex_options())) {
    const auto name = argument_value(call.name, values ? &*values : nullptr);
    const auto value = argument_value(call.value, values ? &*values : nullptr);
    const auto local = argument_value(call.is_local, values ? &*values : nullptr);
    const auto canonical = name ? canonical_variable_name(*name) : std::nullopt;
    if (!canonical || !local) {
      execution.set_config_unknown = true;
      continue;
    }
    SettingChange& change = execution.set_config.emplace_back();
    change.name = *canonical;
    change.local = is_true(*local);
    if (value) change.setting = Setting::from_value(*value, session_->text_rules().client_encoding);
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
  if (refuse_bad_hint(query->text, entry.has_comment, message, plan)) return {};
  session_->statements.on_simple_query();
  add(message, Treatment::kForward, plan);
  // In a failed transaction, and amid an extended segment, only the server knows what it takes.
  const bool may_translate = session_->status != wire::TxStatus::kFailed && !continues_;
  if (may_translate && plan_sql_prepared(query->text, facts, plan)) return {};
  plan.local = false;
  add_decision(decision, plan);
  add_execution(facts, query->text, {}, plan);
  return {};
}

Result<void> RequestPlanner::plan_parse(std::string_view bytes, const RequestMessage& message,
                                        RequestPlan& plan) {
  plan.local = false;
  plan.changes_statements = true;
  if (!message.whole) return plan_unseen_parse(bytes, message, plan);
  const auto parse = wire::Parse::decode(message.body(bytes));
  if (!parse) return std::unexpected(parse.error());
  if (auto valid = check_name(parse->statement); !valid) return valid;
  const auto& entry = context_.shapes->find(parse->query, session_->lex_options());
  const sql::Decision decision = context_.shapes->decide(entry, context_.catalog);
  if (refuse_bad_hint(parse->query, entry.has_comment, message, plan)) return {};
  const std::shared_ptr<const sql::QueryFacts> facts = entry.facts;
  PreparedPtr statement =
      context_.registry->intern(PreparedKind::kProtocol, parse->query, parse->parameter_oids);
  PlannedMessage& planned = add(message, Treatment::kParse, plan);
  planned.statement = statement;
  planned.facts = facts;
  planned.changes_statements = true;
  plan.session_bound |= is_session_bound(*facts);
  if (is_deallocate(facts.get())) {
    planned.treatment = Treatment::kReply;
    wire::append_parse_complete(planned.answer);
  } else {
    add_decision(decision, plan);
    if (is_sql_prepare(*facts)) session_->pins.may_create({PinReason::kSqlPrepare});
  }
  if (auto defined = session_->statements.define(parse->statement, {std::move(statement), facts});
      !defined) {
    planned.treatment = Treatment::kRefuse;
    planned.changes_statements = false;
    planned.answer.clear();
    wire::append_error(planned.answer, wire::Severity::kError, defined.error());
  }
  return {};
}

/// Servers never see the client's names, so what they would refuse in one is refused here.
Result<void> RequestPlanner::check_name(std::string_view name) const {
  const size_t valid = wire::utf8_prefix(name);
  if (valid == name.size() || session_->text_rules().client_encoding != "UTF8") return {};
  std::string bytes;
  for (const char c : name.substr(valid, 2)) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    bytes.append(bytes.empty() ? "0x" : " 0x").append({kHex[byte >> 4], kHex[byte & 0xF]});
  }
  return fail(ErrorCode::kInvalidText, "invalid byte sequence for encoding \"UTF8\": " + bytes,
              "in the name of a prepared statement");
}

/// A Parse too large to be held. Under a name it could not be given to another server; without one
/// it lasts as long as its segment, on this server.
Result<void> RequestPlanner::plan_unseen_parse(std::string_view bytes,
                                               const RequestMessage& message, RequestPlan& plan) {
  const std::string_view head = message.body(bytes);
  if (head.empty() || head.front() != 0) {
    return fail(ErrorCode::kLimitExceeded, "the text of a named prepared statement is too long",
                "a named statement may have 1 MiB, so that every server can be given it",
                "Use the unnamed statement, or pass the data as parameters.");
  }
  session_->statements.on_simple_query();
  plan.changes_statements = false;
  plan_unseen(message, plan);
  add(message, Treatment::kForward, plan);
  return {};
}

void RequestPlanner::add_use(const RequestMessage& message, const ClientStatement& statement,
                             RequestPlan& plan) {
  PlannedMessage& planned = add(message, Treatment::kUse, plan);
  planned.statement = statement.statement;
  planned.facts = facts_of(statement);
  if (planned.facts) plan.session_bound |= is_session_bound(*planned.facts);
  add_decision(planned.facts ? sql::decide(*planned.facts, context_.catalog) : sql::Decision{},
               plan);
}

Result<void> RequestPlanner::plan_bind(std::string_view bytes, const RequestMessage& message,
                                       RequestPlan& plan) {
  plan.local = false;
  plan.executes = true;
  const std::string_view body = message.body(bytes);
  const auto bind = message.whole ? wire::Bind::decode(body) : wire::Bind::decode_head(body);
  if (!bind) return std::unexpected(bind.error());
  if (!message.whole) plan_unseen(message, plan);
  const ClientStatement* statement = session_->statements.find(bind->statement);
  if (statement == nullptr) {  // The server says so better than we could (26000).
    add(message, Treatment::kForward, plan);
    add_decision({Access::kPrimary, Reason::kPreparedStatement, false}, plan);
    return {};
  }
  portals_.push_back({bind->portal, *statement, message.whole ? body : std::string_view{}});
  if (is_deallocate(facts_of(*statement).get())) {
    reply(message, wire::append_bind_complete, plan);
  } else {
    add_use(message, *statement, plan);
  }
  return {};
}

Result<void> RequestPlanner::plan_describe(std::string_view bytes, const RequestMessage& message,
                                           RequestPlan& plan) {
  plan.local = false;
  const auto describe = wire::Describe::decode(message.body(bytes));
  if (!describe) return std::unexpected(describe.error());
  if (describe->kind == wire::NameKind::kStatement) {
    if (const ClientStatement* statement = session_->statements.find(describe->name)) {
      add_use(message, *statement, plan);
      return {};
    }
  } else if (const BoundPortal* portal = find_portal(describe->name);
             portal != nullptr && is_deallocate(facts_of(portal->statement).get())) {
    reply(message, wire::append_no_data, plan);
    return {};
  }
  add(message, Treatment::kForward, plan);
  return {};
}

Result<void> RequestPlanner::plan_close(std::string_view bytes, const RequestMessage& message,
                                        RequestPlan& plan) {
  const auto close = wire::Close::decode(message.body(bytes));
  if (!close) return std::unexpected(close.error());
  if (close->kind == wire::NameKind::kPortal) {
    plan.local = false;
    add(message, Treatment::kForward, plan);
    return {};
  }
  session_->statements.close(close->name);  // Servers keep theirs: other clients use them.
  plan.changes_statements = true;
  add(message, Treatment::kCloseStatement, plan).changes_statements = true;
  return {};
}

Result<void> RequestPlanner::plan_execute(std::string_view bytes, const RequestMessage& message,
                                          RequestPlan& plan) {
  plan.local = false;
  plan.executes = true;
  const auto execute = wire::Execute::decode(message.body(bytes));
  if (!execute) return std::unexpected(execute.error());
  add(message, Treatment::kForward, plan);
  if (const BoundPortal* portal = find_portal(execute->portal)) {
    const ClientStatement& statement = portal->statement;
    if (is_deallocate(facts_of(statement).get())) {
      execute_deallocate(*facts_of(statement), plan);
    } else if (statement.facts) {
      add_execution(facts_of(statement), statement.statement->query(), portal->bind_body, plan);
    }
    return {};
  }
  // A portal of an earlier request: only inside a transaction can it still be there.
  if (plan.decision.reason == Reason::kEmpty)
    add_decision({Access::kPrimary, Reason::kCursor, true}, plan);
  return {};
}

const RequestPlanner::BoundPortal* RequestPlanner::find_portal(std::string_view name) const {
  for (size_t i = portals_.size(); i-- > 0;)
    if (portals_[i].name == name) return &portals_[i];
  return nullptr;
}

/// Nothing is sent for this message; `append` writes what stands in its place.
void RequestPlanner::reply(const RequestMessage& message, void (*append)(std::string&),
                           RequestPlan& plan) {
  append(add(message, Treatment::kReply, plan).answer);
}

}  // namespace fairlead::core
