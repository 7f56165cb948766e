// ClientSession: our own questions to a leased server, which the client never sees (F32).
#include "base/log.h"
#include "proxy/client_session.h"
#include "proxy/worker.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"

namespace fairlead::proxy {

namespace backend = wire::backend;
using Kind = OwnQuestion::Kind;

void ClientSession::ask(Kind kind, std::string_view sql) {
  helper_.emplace(kind);
  std::string query;
  wire::append_query(query, sql);
  server_->state().statements.on_simple_query();
  server_->responses().expect({.kind = core::Expect::kQuery, .hidden = true});
  server_->send(query);
}

Relayed ClientSession::on_helper_piece(const wire::Piece& piece) {
  ServerState& state = server_->state();
  if (piece.type == backend::kParameterStatus) {
    if (const auto status = wire::ParameterStatus::decode(piece.body()))
      state.reported.set(status->name, status->value);
    return {.forward = false};
  }
  if (piece.type == backend::kNotificationResponse)
    return {.forward = true};  // A LISTEN of the client's, which is pinned.
  helper_->take(piece);
  if (piece.type != backend::kReadyForQuery) return {.forward = false};
  const auto ready = wire::ReadyForQuery::decode(piece.body());
  state.status = ready ? ready->status : wire::TxStatus::kIdle;
  const bool release = on_helper_answered();
  changed_.notify_all();
  return {.forward = false, .done = release};
}

/// True: the lease ends.
bool ClientSession::on_helper_answered() {
  const OwnQuestion question = *std::exchange(helper_, std::nullopt);
  ServerState& state = server_->state();
  if (question.failed() && question.kind() != Kind::kReplay) {
    log::warning("a server is closed because it did not answer Fairlead's own question: {}",
                 describe(*question.error()));
    const bool was_pinned = !session_.pins.reasons().empty();
    drop_server();
    if (was_pinned)
      fatal({ErrorCode::kAdminShutdown,
             "the server that held this session's state had to be closed"});
    return false;
  }
  switch (question.kind()) {
    case Kind::kReplay:
      if (question.failed()) {
        refuse({ErrorCode::kInvalidParameterValue, question.error()->message,
                "while the session's settings were given to a server"});
        return true;
      }
      state.variables = session_.variables.committed();
      return false;
    case Kind::kReadBack: {
      std::vector<std::optional<std::string_view>> values(question.row().begin(),
                                                          question.row().end());
      session_.variables.on_read_back(values, state.reported.value_or("client_encoding", "UTF8"));
      return at_boundary();
    }
    case Kind::kPinCheck: {
      std::vector<std::string_view> columns;
      for (const auto& value : question.row())
        columns.push_back(value ? std::string_view(*value) : std::string_view{});
      const auto found = core::parse_check_row(columns);
      if (!found) {
        fatal(found.error());
        return false;
      }
      session_.pins.on_check(*found);
      return at_boundary();
    }
    case Kind::kReset:
      session_.pins.on_server_left();
      state.statements.forget_all();
      state.variables = {};
      return cancels_running_ == 0;
    case Kind::kRollback:
      return false;  // leave_server() goes on.
  }
  return false;
}

}  // namespace fairlead::proxy
