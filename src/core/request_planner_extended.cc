// RequestPlanner: the messages of the extended protocol.
#include <algorithm>

#include "core/request_planner.h"
#include "wire/backend_encode.h"
#include "wire/frontend.h"
#include "wire/printable.h"

namespace fairlead::core {
namespace {

using sql::Access;
using sql::Reason;
using Treatment = PlannedMessage::Treatment;

// Of a client's name in an error message, in bytes.
constexpr size_t kNameShownMax = 100;

std::shared_ptr<const sql::QueryFacts> facts_of(const ClientStatement& statement) {
  return std::static_pointer_cast<const sql::QueryFacts>(statement.facts);
}

/// What FETCH and EXECUTE return is fixed when they are parsed, by the session that parses them.
bool is_session_bound(const sql::QueryFacts& facts) {
  return facts.reason == Reason::kCursor ||
         std::ranges::any_of(facts.prepared, [](const sql::PreparedCommand& command) {
           return command.kind == sql::PreparedCommand::Kind::kExecute;
         });
}

/// BEGIN, COMMIT or ROLLBACK, which has no rows to be limited; pgjdbc limits them to one.
bool is_command(const ClientStatement& statement) {
  const auto facts = facts_of(statement);
  return facts != nullptr && only_command(*facts) != nullptr;
}

/// By the extended protocol it is made as it stands, under the client's own name (C17).
bool is_sql_prepare(const sql::QueryFacts& facts) {
  return std::ranges::any_of(facts.prepared, [](const sql::PreparedCommand& command) {
    return command.kind == sql::PreparedCommand::Kind::kPrepare;
  });
}

}  // namespace
Result<void> RequestPlanner::plan_parse(std::string_view bytes, const RequestMessage& message,
                                        RequestPlan& plan) {
  plan.local = false;
  if (!message.whole) return plan_unseen_parse(bytes, message, plan);
  plan.changes_statements = true;
  const auto parse = wire::Parse::decode(message.body(bytes));
  if (!parse) return std::unexpected(parse.error());
  if (auto valid = check_name(parse->statement); !valid) return valid;
  const auto& entry = context_.shapes->find(parse->query, session_->lex_options());
  const sql::Decision decision = context_.shapes->decide(entry, context_.catalog);
  const auto hints = take_hints(parse->query, entry.has_comment, message, plan);
  if (!hints) return {};
  const std::shared_ptr<const sql::QueryFacts> facts = entry.facts;
  PreparedPtr statement =
      context_.registry->intern(PreparedKind::kProtocol, parse->query, parse->parameter_oids);
  PlannedMessage& planned = add(message, Treatment::kParse, plan);
  planned.statement = statement;
  planned.facts = facts;
  planned.changes_statements = true;
  plan.names_sequence_read |= facts->pins.has(sql::PinEvent::kSequenceRead);
  if (is_deallocate(facts.get())) {
    planned.treatment = Treatment::kReply;
    wire::append_parse_complete(planned.answer);
  } else if (const auto translated = translate_execute({statement, facts})) {
    planned.statement = translated->statement;
    planned.executed = translated->executed.statement;
    add_decision(translated->decision, plan);
  } else {
    plan.session_bound |= is_session_bound(*facts);
    add_decision(learnt(decision, facts), plan);
    if (is_sql_prepare(*facts)) session_->pins.may_create({PinReason::kSqlPrepare});
  }
  if (auto defined =
          session_->statements.define(parse->statement, {std::move(statement), facts, *hints});
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
  session_->statements.on_unseen_parse();
  plan_unseen(message, plan);
  add(message, Treatment::kForward, plan);
  return {};
}

void RequestPlanner::add_use(const RequestMessage& message, const ClientStatement& statement,
                             const std::optional<TranslatedExecute>& translated,
                             RequestPlan& plan) {
  PlannedMessage& planned = add(message, Treatment::kUse, plan);
  planned.statement = statement.statement;
  planned.facts = facts_of(statement);
  if (statement.hints) plan.hints.add(*statement.hints);
  if (translated) {
    if (translated->executed.hints) plan.hints.add(*translated->executed.hints);
    planned.statement = translated->statement;
    planned.executed = translated->executed.statement;
    add_decision(translated->decision, plan);
    return;
  }
  if (planned.facts) plan.session_bound |= is_session_bound(*planned.facts);
  add_decision(planned.facts ? learnt(sql::decide(*planned.facts, context_.catalog), planned.facts)
                             : sql::Decision{},
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
  plan.keeps_portal |= !bind->portal.empty();
  plan.uses_named |= !bind->statement.empty();
  const ClientStatement* statement = session_->statements.find(bind->statement);
  if (statement == nullptr) {
    portals_.push_back({bind->portal, {}, {}});
    plan_unknown(message, bind->statement, plan);
    return {};
  }
  const auto translated = translate_execute(*statement);
  if (translated) {
    add_effects(*facts_of(*statement), plan);
    portals_.push_back({bind->portal, translated->executed, {}});
  } else {
    portals_.push_back({bind->portal, *statement, message.whole ? body : std::string_view{}});
  }
  if (is_deallocate(facts_of(*statement).get())) {
    reply(message, wire::append_bind_complete, plan);
  } else {
    add_use(message, *statement, translated, plan);
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
      add_use(message, *statement, translate_execute(*statement), plan);
    } else {
      plan_unknown(message, describe->name, plan);
    }
    return {};
  }
  if (const BoundPortal* portal = find_portal(describe->name);
      portal != nullptr && is_deallocate(facts_of(portal->statement).get())) {
    reply(message, wire::append_no_data, plan);
    return {};
  }
  add(message, Treatment::kForward, plan).uses_own_portal = find_portal(describe->name) != nullptr;
  return {};
}

Result<void> RequestPlanner::plan_close(std::string_view bytes, const RequestMessage& message,
                                        RequestPlan& plan) {
  const auto close = wire::Close::decode(message.body(bytes));
  if (!close) return std::unexpected(close.error());
  if (close->kind == wire::NameKind::kPortal) {
    plan.local = false;
    session_->portals.drop(close->name);
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
  BoundPortal* portal = find_portal(execute->portal);
  const bool may_stop_early = execute->max_rows > 0 && !(portal && is_command(portal->statement));
  plan.keeps_portal |= may_stop_early;
  if (portal != nullptr) {
    plan.messages.back().uses_own_portal = true;
    portal->finished = portal->finished || !may_stop_early;
    const ClientStatement& statement = portal->statement;
    if (is_deallocate(facts_of(statement).get())) {
      execute_deallocate(*facts_of(statement), plan);
    } else if (statement.facts) {
      add_execution(
          execution_of(facts_of(statement), statement.statement->query(), portal->bind_body), plan);
    }
    return {};
  }
  execute_kept(execute->portal, plan);
  return {};
}

/// A portal of an earlier request: only inside a transaction can it still be there.
void RequestPlanner::execute_kept(std::string_view name, RequestPlan& plan) {
  const Execution* kept = session_->portals.find(name);
  if (kept == nullptr) {  // A cursor of SQL, perhaps: what it runs cannot be seen (C4).
    plan.opaque = true;
    return add_decision({Access::kPrimary, Reason::kCursor, true}, plan);
  }
  if (is_deallocate(kept->facts.get())) return execute_deallocate(*kept->facts, plan);
  sql::Decision decision = sql::decide(*kept->facts, context_.catalog);
  decision = {.access = Access::kPrimary,
              .reason = Reason::kCursor,
              .may_write = decision.may_write,
              .asks_for_sequence = decision.asks_for_sequence};
  add_decision(decision, plan);
  add_execution(*kept, plan);
}

/// What a later request may execute: a portal that lives on, as all do behind a Flush and in a
/// transaction, and that has not been read to its end.
void RequestPlanner::keep_portals(RequestPlan& plan) {
  const bool live_on =
      plan.end != RequestEnd::kSync || session_->status != wire::TxStatus::kIdle || plan.begins;
  ClientPortals& kept = session_->portals;
  for (const BoundPortal& portal : portals_) {
    // PostgreSQL refuses another one of the same name, and keeps the first.
    const bool is_refused = !portal.name.empty() && kept.find(portal.name) != nullptr;
    kept.drop(portal.name);
    if (!live_on || portal.finished || is_refused || !portal.statement.facts) continue;
    plan.keeps_portal = true;
    kept.keep(portal.name, execution_of(facts_of(portal.statement),
                                        portal.statement.statement->query(), portal.bind_body));
  }
}

/// A statement of which only the server knows: its Parse was too large to be held.
void RequestPlanner::plan_unknown(const RequestMessage& message, std::string_view name,
                                  RequestPlan& plan) {
  if (!name.empty() || !session_->statements.unnamed_is_unseen())
    return plan_missing(message, name, plan);
  plan_unseen(message, plan);
  plan.opaque = true;
  add(message, Treatment::kForward, plan);
}

/// A statement that the client does not have. The server says so itself, unless it has one of that
/// name, which is somebody else's.
void RequestPlanner::plan_missing(const RequestMessage& message, std::string_view name,
                                  RequestPlan& plan) {
  add_decision({Access::kPrimary, Reason::kPreparedStatement, false}, plan);
  if (!message.whole) {  // A refused message could not be followed by its rest.
    add(message, Treatment::kUseMissing, plan);
    return;
  }
  if (!name.empty() && !name.starts_with(ServerStatementName::kPrefix)) {
    add(message, Treatment::kForward, plan);
    return;
  }
  const std::string what =
      name.empty() ? "unnamed prepared statement"
                   : "prepared statement \"" + wire::printable(name, kNameShownMax) + "\"";
  wire::append_error(add(message, Treatment::kRefuse, plan).answer, wire::Severity::kError,
                     {ErrorCode::kInvalidStatementName, what + " does not exist"});
}

RequestPlanner::BoundPortal* RequestPlanner::find_portal(std::string_view name) {
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
