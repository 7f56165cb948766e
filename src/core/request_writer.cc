#include "core/request_writer.h"

#include "wire/backend_encode.h"
#include "wire/frontend.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"
#include "wire/rename.h"

namespace fairlead::core {
namespace {

namespace frontend = wire::frontend;
using Treatment = PlannedMessage::Treatment;

/// The statement and the portal that carry a PREPARE, or another statement of ours.
constexpr std::string_view kPreparing = "fl_preparing";

bool is_unnamed(std::string_view name) { return name.empty(); }

/// A Query drops the unnamed statement; a Parse that is forwarded as it is replaces it unseen.
bool replaces_unnamed(char type) { return type == frontend::kQuery || type == frontend::kParse; }

std::optional<Expect> expected_of(char type) {
  switch (type) {
    case frontend::kQuery:
      return Expect::kQuery;
    case frontend::kParse:
      return Expect::kParse;
    case frontend::kBind:
      return Expect::kBind;
    case frontend::kExecute:
      return Expect::kExecute;
    case frontend::kClose:
      return Expect::kClose;
    case frontend::kSync:
      return Expect::kSync;
    case frontend::kFunctionCall:
      return Expect::kFunctionCall;
    case frontend::kDescribe:
      return Expect::kDescribePortal;
    default:
      return {};  // Flush has no answer of its own.
  }
}

void append_parse(const PreparedStatement& statement, std::string_view name, std::string& out) {
  wire::append_parse_renamed(out, {{}, statement.query(), statement.parameter_types()}, name);
}

std::string to_frame_parse_complete() {
  std::string out;
  wire::append_parse_complete(out);
  return out;
}

}  // namespace

bool is_verbatim(const RequestPlan& plan) {
  for (const PlannedMessage& planned : plan.messages) {
    if (planned.treatment != Treatment::kForward) return false;
  }
  return true;
}

void RequestWriter::expect(const PlannedMessage& planned) {
  const std::optional<Expect> kind = expected_of(planned.message.type);
  if (!kind) return;
  const uint32_t completes = planned.has_execution ? kCompletesExecution : 0u;
  const uint32_t confirms = planned.changes_statements ? kConfirmsClientChange : 0u;
  responses_.expect({.kind = *kind, .tag = completes | confirms});
  // DISCARD ALL, DEALLOCATE ALL: what stands behind it must not count on what there was before.
  if (planned.changes_statements) statements_.poison_all();
}

void RequestWriter::expect_verbatim(const RequestPlan& plan) {
  for (const PlannedMessage& planned : plan.messages) {
    if (replaces_unnamed(planned.message.type)) statements_.drop_unnamed();
    expect(planned);
  }
}

Result<void> RequestWriter::write(std::string_view bytes, const RequestPlan& plan,
                                  std::string& out) {
  for (const PlannedMessage& planned : plan.messages) {
    if (auto written = write_message(bytes, planned, out); !written) return written;
  }
  return {};
}

Result<void> RequestWriter::write_message(std::string_view bytes, const PlannedMessage& planned,
                                          std::string& out) {
  switch (planned.treatment) {
    case Treatment::kForward:
      if (replaces_unnamed(planned.message.type)) statements_.drop_unnamed();
      out.append(planned.message.frame(bytes));
      expect(planned);
      return {};
    case Treatment::kParse:
      return write_parse(bytes, planned, out);
    case Treatment::kUse:
      return write_use(bytes, planned, out);
    case Treatment::kUseMissing:
      responses_.expect({.kind = Expect::kBind});
      return write_bind(bytes, planned, kMissingStatement, out);
    case Treatment::kCloseStatement: {
      std::string answer;
      wire::append_close_complete(answer);
      responses_.expect_local(answer, kConfirmsClientChange);
      return {};
    }
    case Treatment::kSqlPrepare:
      write_sql_prepare(planned, out);
      return {};
    case Treatment::kSqlExecute:
      write_sql_execute(bytes, planned, out);
      return {};
    case Treatment::kFollowUp:
      out.append(planned.message.frame(bytes));
      expect(planned);
      write_follow_ups(planned.answer, out);
      return {};
    case Treatment::kReply:
      reply(planned, planned.answer);
      return {};
    case Treatment::kRefuse:
      write_refusal(planned, out);
      return {};
  }
  return {};
}

/// Nothing is sent: `answer` stands in the place of the server's.
void RequestWriter::reply(const PlannedMessage& planned, std::string_view answer) {
  const uint32_t confirms = planned.changes_statements ? kConfirmsClientChange : 0u;
  const uint32_t ends = planned.message.type == frontend::kQuery ? kEndsRequest : 0u;
  responses_.expect_local(answer, confirms | ends);
}

void RequestWriter::close_if_planned(const PreparedPlan& plan, std::string& out) {
  if (!plan.close) return;
  wire::append_close(out, wire::NameKind::kStatement, ServerStatementName(*plan.close).view());
  responses_.expect({.kind = Expect::kClose, .hidden = true, .tag = kConfirmsServerClose});
}

/// Between Queries. DEALLOCATE would fail where something has dropped the statement unseen, and an
/// open transaction with it.
void RequestWriter::close_between_queries(const PreparedPlan& plan, std::string& out) {
  if (!plan.close) return;
  close_if_planned(plan, out);
  wire::append_sync(out);
  responses_.expect({.kind = Expect::kSync, .hidden = true});
}

/// Amid a segment of the extended protocol, where a Query would end the transaction.
void RequestWriter::give(const PreparedStatement& statement, std::string& out) {
  const PreparedPlan plan = statements_.plan_use(statement, parse_state_);
  close_if_planned(plan, out);
  if (!plan.parse) return;
  const ServerStatementName name(plan.key);
  if (statement.kind() == PreparedKind::kProtocol) {
    append_parse(statement, name.view(), out);
    responses_.expect({.kind = Expect::kParse, .hidden = true, .tag = kConfirmsServerParse});
    return;
  }
  execute_unseen(prepare_sql(statement, name), kConfirmsServerParse, out);
}

/// Amid a segment, too. The client's unnamed statement and its portals stay as they are.
void RequestWriter::execute_unseen(std::string_view sql, uint32_t tag, std::string& out) {
  wire::append_close(out, wire::NameKind::kStatement, kPreparing);  // Of one that failed.
  wire::append_parse(out, kPreparing, sql);
  wire::append_bind(out, kPreparing, kPreparing);
  wire::append_execute(out, kPreparing);
  wire::append_close(out, wire::NameKind::kPortal, kPreparing);
  wire::append_close(out, wire::NameKind::kStatement, kPreparing);
  responses_.expect({.kind = Expect::kClose, .hidden = true});
  responses_.expect({.kind = Expect::kParse, .hidden = true});
  responses_.expect({.kind = Expect::kBind, .hidden = true});
  responses_.expect({.kind = Expect::kExecute, .hidden = true, .tag = tag});
  responses_.expect({.kind = Expect::kClose, .hidden = true});
  responses_.expect({.kind = Expect::kClose, .hidden = true});
}

void RequestWriter::write_follow_ups(std::string_view statements, std::string& out) {
  for (size_t end = statements.find('\0'); end != std::string_view::npos;
       end = statements.find('\0')) {
    execute_unseen(statements.substr(0, end), 0, out);
    statements.remove_prefix(end + 1);
  }
}

Result<void> RequestWriter::write_parse(std::string_view bytes, const PlannedMessage& planned,
                                        std::string& out) {
  const auto parse = wire::Parse::decode(planned.message.body(bytes));
  if (!parse) return std::unexpected(parse.error());
  if (planned.executed) give(*planned.executed, out);
  if (is_unnamed(parse->statement)) {
    // Always, even if the server has the same text: what FETCH returns is fixed when it is parsed,
    // by the cursor of that moment. If that fails, the server has none (C12).
    statements_.drop_unnamed();
    statements_.plan_use_unnamed(*planned.statement, parse_state_);
    append_parse(*planned.statement, {}, out);
    responses_.expect(
        {.kind = Expect::kParse, .tag = kConfirmsClientChange | kConfirmsServerParse});
    return {};
  }
  const PreparedPlan plan = statements_.plan_use(*planned.statement, parse_state_);
  close_if_planned(plan, out);
  if (!plan.parse && outside_) {
    responses_.expect_local(to_frame_parse_complete(), kConfirmsClientChange);
    return {};
  }
  if (!plan.parse) {  // A failed transaction refuses every Parse: the server has to say so itself.
    append_parse(*planned.statement, {}, out);
    statements_.drop_unnamed();
    responses_.expect({.kind = Expect::kParse, .tag = kConfirmsClientChange});
    return {};
  }
  append_parse(*planned.statement, ServerStatementName(plan.key).view(), out);
  responses_.expect({.kind = Expect::kParse, .tag = kConfirmsClientChange | kConfirmsServerParse});
  return {};
}

Result<void> RequestWriter::write_bind(std::string_view bytes, const PlannedMessage& planned,
                                       std::string_view name, std::string& out) {
  if (planned.message.whole) {
    const auto bind = wire::Bind::decode(planned.message.body(bytes));
    if (!bind) return std::unexpected(bind.error());
    wire::append_bind_renamed(out, *bind, name);
    return {};
  }
  const std::string_view head = planned.message.frame(bytes);
  const wire::Piece first{.kind = wire::Piece::Kind::kFirst,
                          .type = frontend::kBind,
                          .body_size = load_u32(head.data() + 1) - wire::kEmptyFrameLength,
                          .bytes = head};
  return wire::append_bind_head_renamed(out, first, name);
}

Result<void> RequestWriter::write_use(std::string_view bytes, const PlannedMessage& planned,
                                      std::string& out) {
  const bool is_bind = planned.message.type == frontend::kBind;
  const std::string_view body = planned.message.body(bytes);
  const auto bind = is_bind ? wire::Bind::decode_head(body) : Result<wire::Bind>{};
  const auto describe = is_bind ? Result<wire::Describe>{} : wire::Describe::decode(body);
  if (!bind) return std::unexpected(bind.error());
  if (!describe) return std::unexpected(describe.error());

  if (planned.executed) give(*planned.executed, out);
  const bool unnamed = is_unnamed(is_bind ? bind->statement : describe->name);
  std::string_view name;
  std::optional<ServerStatementName> made;
  if (unnamed) {
    if (statements_.plan_use_unnamed(*planned.statement, parse_state_)) {
      append_parse(*planned.statement, {}, out);
      responses_.expect({.kind = Expect::kParse, .hidden = true, .tag = kConfirmsServerParse});
    }
  } else {
    const PreparedPlan plan = statements_.plan_use(*planned.statement, parse_state_);
    close_if_planned(plan, out);
    name = made.emplace(plan.key).view();
    if (plan.parse) {
      append_parse(*planned.statement, name, out);
      responses_.expect({.kind = Expect::kParse, .hidden = true, .tag = kConfirmsServerParse});
    }
  }
  if (is_bind) {
    responses_.expect({.kind = Expect::kBind});
    return write_bind(bytes, planned, name, out);
  }
  wire::append_describe_renamed(out, *describe, name);
  responses_.expect({.kind = Expect::kDescribeStatement});
  return {};
}

void RequestWriter::write_sql_prepare(const PlannedMessage& planned, std::string& out) {
  const PreparedPlan plan = statements_.plan_use(*planned.statement, parse_state_);
  if (!plan.parse) {
    std::string answer;
    wire::append_command_complete(answer, "PREPARE");
    return reply(planned, answer);
  }
  statements_.drop_unnamed();
  const ServerStatementName name(plan.key);
  close_between_queries(plan, out);
  wire::append_query(out, prepare_sql(*planned.statement, name));
  responses_.expect({.kind = Expect::kQuery, .tag = kConfirmsClientChange | kConfirmsServerParse});
}

void RequestWriter::write_sql_execute(std::string_view bytes, const PlannedMessage& planned,
                                      std::string& out) {
  const PreparedPlan plan = statements_.plan_use(*planned.statement, parse_state_);
  const ServerStatementName name(plan.key);
  close_between_queries(plan, out);
  if (plan.parse && planned.statement->kind() == PreparedKind::kSql) {
    wire::append_query(out, prepare_sql(*planned.statement, name));
    responses_.expect(
        {.kind = Expect::kQuery, .hidden = true, .tag = kConfirmsServerParse | kRepliesLater});
  } else if (plan.parse) {
    append_parse(*planned.statement, name.view(), out);
    wire::append_sync(out);
    responses_.expect(
        {.kind = Expect::kParse, .hidden = true, .tag = kConfirmsServerParse | kRepliesLater});
    responses_.expect({.kind = Expect::kSync, .hidden = true});
  }
  const auto query = wire::Query::decode(planned.message.body(bytes));
  const std::string_view text = query ? query->text : std::string_view{};
  std::string renamed(text.substr(0, planned.name_begin));
  renamed.append(name.view()).append(text.substr(planned.name_end));
  statements_.drop_unnamed();
  wire::append_query(out, renamed);
  expect(planned);
}

/// The server has to fail, too: a transaction that is open is failed from now on.
void RequestWriter::write_refusal(const PlannedMessage& planned, std::string& out) {
  if (planned.message.type == frontend::kQuery) {
    statements_.drop_unnamed();
    wire::append_query(out, "EXECUTE " + std::string(kMissingStatement));
    responses_.expect({.kind = Expect::kQuery, .tag = kReplacesError});
    return;
  }
  if (planned.statement) {  // What is wrong with the text comes before what is wrong with its name.
    append_parse(*planned.statement, {}, out);
    statements_.drop_unnamed();
    responses_.expect({.kind = Expect::kParse, .hidden = true});
  }
  wire::append_bind(out, {}, kMissingStatement);
  responses_.expect({.kind = Expect::kBind, .tag = kReplacesError});
}

}  // namespace fairlead::core
