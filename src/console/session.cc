#include "console/session.h"

#include <utility>

#include "wire/backend_encode.h"
#include "wire/frontend.h"
#include "wire/message_type.h"
#include "wire/printable.h"

namespace fairlead::console {
namespace {

namespace frontend = wire::frontend;
using Kind = Statement::Kind;

bool asks_workers(View view) { return views()[static_cast<size_t>(view)].asks_workers; }

bool needs_report(const Statement& statement) {
  return statement.kind == Kind::kShow && asks_workers(statement.view);
}

Error no_such(std::string_view what, std::string_view name) {
  return {ErrorCode::kInvalidStatementName,
          std::string(what) + " \"" + wire::printable(name) + "\" does not exist"};
}

Error too_many(std::string_view what) {
  return {ErrorCode::kLimitExceeded, "too many " + std::string(what),
          "the console keeps " + std::to_string(kNamesMax), "Close some."};
}

}  // namespace

bool is_console(std::string_view database) {
  return database == "fairlead" || database == "pgbouncer";
}

void Session::on_message(char type, std::string_view body, std::string& out) {
  if (type == frontend::kTerminate) {
    ended_ = true;
    return;
  }
  if (type == frontend::kSync) {
    skipping_ = false;
    // Outside of BEGIN ... COMMIT a portal lives as long as its segment, as in PostgreSQL.
    if (status_ == wire::TxStatus::kIdle) portals_.clear();
    return ready(out);
  }
  if (skipping_) return;
  switch (type) {
    case frontend::kQuery:
      return on_query(body, out);
    case frontend::kParse:
      return on_parse(body, out);
    case frontend::kBind:
      return on_bind(body, out);
    case frontend::kDescribe:
      return on_describe(body, out);
    case frontend::kExecute:
      return on_execute(body, out);
    case frontend::kClose:
      return on_close(body, out);
    case frontend::kFunctionCall:
      wire::append_error(out, wire::Severity::kError,
                         {ErrorCode::kFeatureNotSupported, "the console has no functions"});
      return ready(out);
    default:
      return;  // Flush, and what is left of a COPY that was never begun.
  }
}

std::optional<View> Session::wants() const {
  if (executing_ != nullptr && !executing_->table) return executing_->statement->view;
  if (!queue_.empty() && needs_report(queue_.front())) return queue_.front().view;
  return std::nullopt;
}

void Session::answer(const Report& report, std::string& out) {
  if (executing_ != nullptr) {
    executing_->table = table_of(executing_->statement->view, report, version_);
    return send_rows(*std::exchange(executing_, nullptr), out);
  }
  const wire::ResultTable table = table_of(queue_.front().view, report, version_);
  wire::append_row_description(out, table.columns);
  for (const auto& row : table.rows) wire::append_data_row(out, row);
  finish(queue_.front(), out);
  queue_.pop_front();
  go_on(out);
}

void Session::on_query(std::string_view body, std::string& out) {
  statements_.erase("");
  portals_.erase("");
  in_query_ = true;
  const auto query = wire::Query::decode(body);
  auto parsed = query ? parse(query->text) : std::unexpected(query.error());
  if (!parsed) {
    wire::append_error(out, wire::Severity::kError, parsed.error());
  } else if (parsed->empty()) {
    wire::append_empty_query_response(out);
  } else {
    queue_.assign(parsed->begin(), parsed->end());
  }
  go_on(out);
}

void Session::go_on(std::string& out) {
  while (!queue_.empty() && !needs_report(queue_.front())) {
    const Statement statement = queue_.front();
    queue_.pop_front();
    if (statement.kind == Kind::kShow) {
      const wire::ResultTable table = table_of(statement.view, {}, version_);
      wire::append_row_description(out, table.columns);
      for (const auto& row : table.rows) wire::append_data_row(out, row);
    }
    finish(statement, out);
  }
  if (!queue_.empty() || !in_query_) return;
  in_query_ = false;
  ready(out);
}

/// Nothing can be rolled back here, so an error does not fail a transaction either.
void Session::finish(const Statement& statement, std::string& out) {
  if (statement.kind == Kind::kBegin) status_ = wire::TxStatus::kInTransaction;
  if (statement.kind == Kind::kCommit || statement.kind == Kind::kRollback)
    status_ = wire::TxStatus::kIdle;
  wire::append_command_complete(out, tag_of(statement));
}

void Session::on_parse(std::string_view body, std::string& out) {
  const auto message = wire::Parse::decode(body);
  if (!message) return fail_segment(message.error(), out);
  const auto parsed = parse(message->query);
  if (!parsed) return fail_segment(parsed.error(), out);
  if (parsed->size() > 1)
    return fail_segment(
        {ErrorCode::kSyntaxError, "cannot insert multiple commands into a prepared statement"},
        out);
  const bool is_known = statements_.contains(message->statement);
  if (is_known && !message->statement.empty())
    return fail_segment(
        {ErrorCode::kDuplicateStatement,
         "prepared statement \"" + wire::printable(message->statement) + "\" already exists"},
        out);
  if (!is_known && statements_.size() >= kNamesMax)
    return fail_segment(too_many("prepared statements"), out);
  statements_.insert_or_assign(std::string(message->statement),
                               parsed->empty() ? std::nullopt : std::optional(parsed->front()));
  wire::append_parse_complete(out);
}

void Session::on_bind(std::string_view body, std::string& out) {
  const auto message = wire::Bind::decode(body);
  if (!message) return fail_segment(message.error(), out);
  const auto parameters = message->parameters();
  if (!parameters) return fail_segment(parameters.error(), out);
  const auto found = statements_.find(message->statement);
  if (found == statements_.end())
    return fail_segment(no_such("prepared statement", message->statement), out);
  if (!parameters->values.empty())
    return fail_segment(
        {ErrorCode::kProtocolViolation, "the console's statements have no parameters"}, out);
  const auto& statement = found->second;
  const bool has_rows = statement && statement->kind == Kind::kShow;
  const size_t columns = has_rows ? columns_of(statement->view).size() : 0;
  if (!wire::are_valid(parameters->result_formats, columns))
    return fail_segment({ErrorCode::kProtocolViolation, "the result formats do not fit the result"},
                        out);
  if (!portals_.contains(message->portal) && portals_.size() >= kNamesMax)
    return fail_segment(too_many("portals"), out);
  portals_.insert_or_assign(
      std::string(message->portal),
      Portal{
          .statement = statement, .formats = std::string(parameters->result_formats), .table = {}});
  wire::append_bind_complete(out);
}

Session::Portal* Session::find_portal(std::string_view name) {
  const auto found = portals_.find(name);
  return found == portals_.end() ? nullptr : &found->second;
}

void Session::on_describe(std::string_view body, std::string& out) {
  const auto message = wire::Describe::decode(body);
  if (!message) return fail_segment(message.error(), out);
  std::optional<Statement> statement;
  std::string_view formats;
  if (message->kind == wire::NameKind::kPortal) {
    const Portal* portal = find_portal(message->name);
    if (portal == nullptr) return fail_segment(no_such("portal", message->name), out);
    statement = portal->statement;
    formats = portal->formats;
  } else {
    const auto found = statements_.find(message->name);
    if (found == statements_.end())
      return fail_segment(no_such("prepared statement", message->name), out);
    statement = found->second;
    wire::append_parameter_description(out, {});
  }
  if (statement && statement->kind == Kind::kShow)
    wire::append_row_description(out, columns_of(statement->view), formats);
  else
    wire::append_no_data(out);
}

void Session::on_execute(std::string_view body, std::string& out) {
  const auto message = wire::Execute::decode(body);
  if (!message) return fail_segment(message.error(), out);
  Portal* portal = find_portal(message->portal);
  if (portal == nullptr) return fail_segment(no_such("portal", message->portal), out);
  executing_rows_max_ = message->max_rows;
  if (!portal->statement) return wire::append_empty_query_response(out);
  if (portal->statement->kind != Kind::kShow) return finish(*portal->statement, out);
  if (!portal->table && needs_report(*portal->statement)) {
    executing_ = portal;
    return;
  }
  if (!portal->table) portal->table = table_of(portal->statement->view, {}, version_);
  send_rows(*portal, out);
}

void Session::send_rows(Portal& portal, std::string& out) {
  const auto& rows = portal.table->rows;
  uint32_t left = executing_rows_max_;
  while (portal.sent < rows.size()) {
    wire::append_data_row(out, rows[portal.sent++], portal.formats);
    if (executing_rows_max_ > 0 && --left == 0) return wire::append_portal_suspended(out);
  }
  finish(*portal.statement, out);
}

void Session::on_close(std::string_view body, std::string& out) {
  const auto message = wire::Close::decode(body);
  if (!message) return fail_segment(message.error(), out);
  if (message->kind == wire::NameKind::kPortal) {
    if (const auto found = portals_.find(message->name); found != portals_.end())
      portals_.erase(found);
  } else if (const auto found = statements_.find(message->name); found != statements_.end()) {
    statements_.erase(found);
  }
  wire::append_close_complete(out);
}

void Session::ready(std::string& out) { wire::append_ready_for_query(out, status_); }

void Session::fail_segment(const Error& error, std::string& out) {
  wire::append_error(out, wire::Severity::kError, error);
  skipping_ = true;
}

}  // namespace fairlead::console
