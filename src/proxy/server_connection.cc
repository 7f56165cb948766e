#include "proxy/server_connection.h"

#include <fmt/format.h>

#include "wire/error_fields.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"
#include "wire/printable.h"

namespace fairlead::proxy {

namespace backend = wire::backend;
using wire::Piece;

ServerConnection::ServerConnection(net::Loop& loop, std::unique_ptr<net::Stream> stream,
                                   ServerState state)
    : loop_(loop),
      stream_(std::move(stream)),
      spawner_(loop),
      outbox_(loop, *stream_, spawner_),
      state_(std::move(state)) {
  stream_->be_told_first();  // One that has ended is given to nobody who asks in that turn (F50).
  outbox_.on_drained([this] {
    if (holder_ != nullptr) holder_->on_server_drained();
  });
}

ServerConnection::~ServerConnection() = default;

bool ServerConnection::is_clean() const {
  return !lost_ && state_.responses.empty() && outbox_.size() == 0 && !outbox_.broken() &&
         relay_.at_boundary() && state_.status == wire::TxStatus::kIdle;
}

net::Task<void> ServerConnection::read() {
  while (!stopping_ && !lost_) {
    co_await stream_->input();  // Ready or interrupted.
    if (stopping_ || lost_) break;
    const net::Transfer got = stream_->read(loop_.scratch());
    if (got.closed())
      lose({ErrorCode::kConnectionFailure, "the server closed the connection unexpectedly"});
    if (!got.ok()) continue;
    if (auto relayed = relay_.feed({loop_.scratch().data(), got.bytes}, *this); !relayed)
      lose(relayed.error());
    while (holder_ != nullptr && holder_->blocked()) co_await holder_->unblocked();
  }
}

/// What an idle server may say: parameters, notices, notifications for nobody, and that it goes
/// away (F26).
Result<void> ServerConnection::on_idle_piece(const Piece& piece) {
  if (piece.type == backend::kParameterStatus && piece.kind == Piece::Kind::kWhole) {
    if (const auto status = wire::ParameterStatus::decode(piece.body()))
      state_.on_parameter(status->name, status->value);
    return {};
  }
  if (piece.type == backend::kNoticeResponse || piece.type == backend::kNotificationResponse)
    return {};
  std::string why = "the idle server sent a message that nobody asked for";
  if (piece.type == backend::kErrorResponse) {
    why = "the idle server said: " +
          wire::printable(wire::ErrorFields::decode_head(piece.body()).message(), 300);
  }
  return fail(ErrorCode::kConnectionFailure, std::move(why));
}

void ServerConnection::lose(Error why) {
  if (lost_) return;
  lost_ = true;
  stream_->shutdown();
  if (LeaseHolder* holder = std::exchange(holder_, nullptr)) holder->on_server_lost(why);
}

void ServerConnection::tick(Time now, Duration unheard_max) {
  if (unheard_max.count() == 0 || stream_->unheard_for(now) < unheard_max) return;
  lose({ErrorCode::kConnectionFailure, "the server's host does not answer any more",
        fmt::format("it has acknowledged nothing that was sent for {} s",
                    std::chrono::duration_cast<std::chrono::seconds>(unheard_max).count())});
}

void ServerConnection::stop_reading() {
  stopping_ = true;
  stream_->interrupt();
}

void ServerConnection::close(bool say_goodbye) {
  if (lost_) return;
  if (say_goodbye && !outbox_.blocked()) {
    std::string goodbye;
    wire::append_terminate(goodbye);
    outbox_.send(goodbye);
    outbox_.send_now();
  }
  holder_ = nullptr;
  lost_ = true;
  stream_->shutdown();
}

ServerConnection::Parts ServerConnection::take_apart() {
  return {stream_->detach(), std::move(state_)};
}

}  // namespace fairlead::proxy
