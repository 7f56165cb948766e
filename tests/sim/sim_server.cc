#include "sim/sim_server.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "wire/backend_encode.h"
#include "wire/frontend.h"
#include "wire/message_type.h"

namespace fairlead::sim {
namespace {

using Kind = SimStatement::Kind;
using wire::TxStatus;
namespace frontend = wire::frontend;

constexpr std::array<std::string_view, 2> kReported{"application_name", "timezone"};
constexpr std::array<std::string_view, 1> kValueColumn{"v"};

bool returns_row(Kind kind) {
  return kind == Kind::kSelect || kind == Kind::kSelectParameter || kind == Kind::kShow ||
         kind == Kind::kFail;
}

}  // namespace

SimServer::SimServer(Settings defaults, bool standby)
    : defaults_(std::move(defaults)), standby_(standby), cutter_(wire::kFrontendPolicy) {
  for (const std::string_view name : kReported)
    reported_[std::string(name)] = setting(std::string(name));
}

bool SimServer::is_reported(std::string_view name) {
  return std::ranges::find(kReported, name) != kReported.end();
}

std::string SimServer::setting(const std::string& name) const {
  if (name == "transaction_isolation") return "read committed";
  for (const Settings* settings : {&values_.local, &values_.session, &defaults_})
    if (const auto found = settings->find(name); found != settings->end()) return found->second;
  return {};
}

std::vector<std::string> SimServer::statement_names() const {
  std::vector<std::string> names;
  for (const auto& [name, sql] : statements_)
    if (!name.empty()) names.push_back(name);
  return names;
}

std::string SimServer::login_reports() const {
  std::string out;
  for (const auto& [name, value] : reported_) wire::append_parameter_status(out, name, value);
  wire::append_parameter_status(out, "in_hot_standby", standby_ ? "on" : "off");
  return out;
}

std::string SimServer::take_output(size_t max) {
  std::string taken = output_.substr(0, max);
  output_.erase(0, taken.size());
  return taken;
}

void SimServer::receive(std::string_view bytes) {
  input_.append(bytes);
  std::string_view rest = input_;
  for (;;) {
    const auto piece = cutter_.next(rest);
    require(piece.has_value(), "a server gets well-formed frames only");
    if (piece->kind == wire::Piece::Kind::kNone) break;
    require(piece->kind == wire::Piece::Kind::kWhole || piece->type == frontend::kCopyData,
            "only CopyData comes in pieces here");
    on_message(*piece);
  }
  input_ = std::string(rest);
}

void SimServer::on_message(const wire::Piece& piece) {
  const bool is_copy = piece.type == frontend::kCopyData || piece.type == frontend::kCopyDone ||
                       piece.type == frontend::kCopyFail;
  if (copying_ || is_copy) return on_copy_message(piece);
  if (skipping_ && piece.type != frontend::kSync) return;
  switch (piece.type) {
    case frontend::kQuery:
      return on_query(piece.body());
    case frontend::kParse:
      return on_parse(piece.body());
    case frontend::kBind:
      return on_bind(piece.body());
    case frontend::kDescribe:
      return on_describe(piece.body());
    case frontend::kExecute:
      return on_execute(piece.body());
    case frontend::kClose:
      return on_close(piece.body());
    case frontend::kSync:
      skipping_ = false;
      return end_of_request();
    default:
      return;
  }
}

void SimServer::on_copy_message(const wire::Piece& piece) {
  if (!copying_) return;  // Accepted and ignored, as after an error.
  switch (piece.type) {
    case frontend::kCopyData:
      if (piece.kind != wire::Piece::Kind::kWhole && piece.kind != wire::Piece::Kind::kLast) return;
      ++copied_;
      if (!copy_refuses_rows_) return;
      copying_ = false;
      fail("22P02", "invalid input syntax");
      skipping_ = !copy_by_query_;
      break;
    case frontend::kSync:
    case frontend::kFlush:
      return;
    case frontend::kCopyDone:
      copying_ = false;
      complete("COPY " + std::to_string(copied_));
      break;
    default:
      copying_ = false;
      fail(piece.type == frontend::kCopyFail ? "57014" : "08P01", "COPY failed");
      skipping_ = !copy_by_query_;
      break;
  }
  if (copy_by_query_) end_of_request();
}

void SimServer::on_query(std::string_view body) {
  const std::string text(body.substr(0, body.size() - 1));
  statements_.erase("");
  const std::vector<SimStatement> statements = read_statements(text);
  if (statements.empty()) wire::append_empty_query_response(output_);
  copy_by_query_ = true;
  for (const SimStatement& statement : statements) {
    if (std::ranges::any_of(statements,
                            [](const auto& s) { return s.kind == Kind::kSyntaxError; })) {
      fail("42601", "syntax error");
      break;
    }
    if (statement.kind == Kind::kDiscardAll && (statements.size() > 1 || implicit_)) {
      fail("25001", "DISCARD ALL cannot run inside a transaction block");
      break;
    }
    if (!execute(statement, nullptr, true)) break;
    if (copying_) return;
  }
  end_of_request();
}

void SimServer::end_of_request() {
  for (const std::string& portal : std::exchange(spent_portals_, {})) portals_.erase(portal);
  portals_.erase("");
  if (status_ == TxStatus::kIdle) end_transaction(true);
  report_changes();
  wire::append_ready_for_query(output_, status_);
}

void SimServer::on_parse(std::string_view body) {
  const auto parse = wire::Parse::decode(body);
  if (!parse) return fail("08P01", "malformed"), void(skipping_ = true);
  const SimStatement statement = read_statement(parse->query);
  const std::string name(parse->statement);
  if (name.empty()) statements_.erase("");
  if (statement.kind == Kind::kSyntaxError) {
    fail("42601", "syntax error");
  } else if (!may_run(statement)) {
  } else if (!name.empty() && statements_.contains(name)) {
    fail("42P05", "the statement exists");
  } else {
    statements_[name] = parse->query;
    wire::append_parse_complete(output_);
    return;
  }
  skipping_ = true;
}

void SimServer::on_bind(std::string_view body) {
  const auto bind = wire::Bind::decode(body);
  const auto found = bind ? statements_.find(std::string(bind->statement)) : statements_.end();
  skipping_ = true;
  if (!bind) return fail("08P01", "malformed");
  if (found == statements_.end()) return fail("26000", "no such statement");
  if (!may_run(read_statement(found->second))) return;
  const std::string name(bind->portal);
  if (!name.empty() && portals_.contains(name)) return fail("42P03", "the portal exists");
  Portal portal{.sql = found->second, .parameter = {}};
  if (const auto parameters = bind->parameters())
    if (const auto text = parameters->text(0)) portal.parameter = std::string(*text);
  portals_[name] = std::move(portal);
  wire::append_bind_complete(output_);
  skipping_ = false;
}

void SimServer::on_describe(std::string_view body) {
  const auto describe = wire::Describe::decode(body);
  skipping_ = true;
  if (!describe) return fail("08P01", "malformed");
  std::string sql;
  if (describe->kind == wire::NameKind::kStatement) {
    const auto found = statements_.find(std::string(describe->name));
    if (found == statements_.end()) return fail("26000", "no such statement");
    sql = found->second;
  } else {
    const auto found = portals_.find(std::string(describe->name));
    if (found == portals_.end()) return fail("34000", "no such portal");
    sql = found->second.sql;
  }
  const SimStatement statement = read_statement(sql);
  if (!may_run(statement)) return;
  skipping_ = false;
  if (describe->kind == wire::NameKind::kStatement) {
    const std::array<uint32_t, 1> text{25};
    const bool has_parameter = statement.kind == Kind::kSelectParameter;
    wire::append_parameter_description(output_, std::span(text).first(has_parameter ? 1 : 0));
  }
  returns_row(statement.kind) ? wire::append_text_row_description(output_, kValueColumn)
                              : wire::append_no_data(output_);
}

void SimServer::on_execute(std::string_view body) {
  const auto message = wire::Execute::decode(body);
  skipping_ = true;
  if (!message) return fail("08P01", "malformed");
  const auto found = portals_.find(std::string(message->portal));
  if (found == portals_.end()) return fail("34000", "no such portal");
  const Portal portal = found->second;
  const SimStatement statement = read_statement(portal.sql);
  if (statement.kind == Kind::kDiscardAll && implicit_)
    return fail("25001", "DISCARD ALL cannot run inside a transaction block");
  copy_by_query_ = false;
  if (statement.kind == Kind::kEmpty) {
    wire::append_empty_query_response(output_);
  } else if (!execute(statement, &portal, false)) {
    return;
  }
  // PostgreSQL keeps the portal, and refuses to run it again; Fairlead may have run it itself, and
  // has forgotten it after the request (B30).
  if (statement.kind == Kind::kBegin || statement.kind == Kind::kBeginReadOnly ||
      statement.kind == Kind::kSetReadOnly)
    spent_portals_.emplace_back(message->portal);
  skipping_ = false;
}

void SimServer::on_close(std::string_view body) {
  const auto close = wire::Close::decode(body);
  if (!close) return fail("08P01", "malformed"), void(skipping_ = true);
  if (close->kind == wire::NameKind::kStatement) {
    statements_.erase(std::string(close->name));
  } else {
    portals_.erase(std::string(close->name));
  }
  wire::append_close_complete(output_);
}

void SimServer::report_changes() {
  for (auto& [name, value] : reported_) {
    std::string now = setting(name);
    if (now == value) continue;
    value = std::move(now);
    wire::append_parameter_status(output_, name, value);
  }
}

void SimServer::fail(std::string_view sqlstate, std::string_view message) {
  wire::append_error(output_, wire::Severity::kError, sqlstate, message);
  if (status_ == TxStatus::kInTransaction) {
    status_ = TxStatus::kFailed;
  } else if (status_ == TxStatus::kIdle) {
    end_transaction(false);
  }
}

}  // namespace fairlead::sim
