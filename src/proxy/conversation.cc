#include "proxy/conversation.h"

#include <fmt/format.h>

#include "net/deadline.h"
#include "wire/backend.h"
#include "wire/error_fields.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"
#include "wire/printable.h"

namespace fairlead::proxy {

namespace backend = wire::backend;

Conversation::Conversation(net::Loop& loop, LoggedIn login)
    : loop_(loop), login_(std::move(login)), reader_(loop, *login_.stream, wire::kBackendPolicy) {}

net::Task<std::expected<std::unique_ptr<Conversation>, LoginFailure>> Conversation::open(
    net::Loop& loop, ServerEndpoint endpoint, ServerLogin login) {
  auto logged_in = co_await log_in(loop, std::move(endpoint), std::move(login));
  if (!logged_in) co_return std::unexpected(std::move(logged_in.error()));
  co_return std::make_unique<Conversation>(loop, std::move(*logged_in));
}

net::Task<Result<std::vector<Row>>> Conversation::ask(std::string sql, Duration timeout) {
  net::Deadline deadline(loop_, *login_.stream, timeout);
  std::string query;
  wire::append_query(query, sql);
  Result<std::vector<Row>> rows = fail(ErrorCode::kInternal, "not asked");
  if (auto sent = co_await write_all(*login_.stream, std::move(query)); !sent) {
    over_ = true;
    rows = std::unexpected(sent.error());
  } else {
    rows = co_await read_answer();
  }
  if (deadline.expired()) {
    over_ = true;
    co_return fail(ErrorCode::kConnectionFailure,
                   fmt::format("no answer within {} ms", timeout.count() / 1000));
  }
  co_return rows;
}

net::Task<Result<std::vector<Row>>> Conversation::read_answer() {
  std::vector<Row> rows;
  std::optional<Error> server_error;
  for (;;) {
    const auto message = co_await reader_.next();
    if (!message) {
      over_ = true;
      co_return std::unexpected(server_error.value_or(message.error()));
    }
    switch (message->type) {
      case backend::kDataRow: {
        const auto row = wire::DataRow::decode(message->body());
        if (!row) {
          over_ = true;
          co_return std::unexpected(row.error());
        }
        Row& kept = rows.emplace_back();
        for (const auto& value : row->values)
          kept.push_back(value ? std::optional<std::string>(*value) : std::nullopt);
        break;
      }
      case backend::kErrorResponse: {
        const auto fields = wire::ErrorFields::decode(message->body());
        server_error =
            Error{ErrorCode::kInternal,
                  fields ? wire::printable(fields->message(), 500) : "an unreadable error",
                  fields ? std::string(fields->sqlstate()) : std::string{}};
        break;
      }
      case backend::kReadyForQuery:
        if (server_error) co_return std::unexpected(*server_error);
        co_return rows;
      default:
        break;  // Descriptions, tags, notices and changed parameters: nobody asked for them.
    }
  }
}

}  // namespace fairlead::proxy
