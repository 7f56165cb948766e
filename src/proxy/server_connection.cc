#include "proxy/server_connection.h"

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
  outbox_.on_drained([this] {
    if (holder_ != nullptr) holder_->on_server_drained();
  });
}

ServerConnection::~ServerConnection() = default;

bool ServerConnection::is_clean() const {
  return !lost_ && state_.responses.empty() && !outbox_.blocked() && !outbox_.broken() &&
         kept_.empty() && cutter_.at_boundary() && state_.status == wire::TxStatus::kIdle;
}

net::Task<void> ServerConnection::read() {
  while (!stopping_ && !lost_) {
    if (!stream_->may_have_input()) co_await stream_->readable();  // Ready or interrupted.
    if (stopping_ || lost_) break;
    const net::Transfer got = stream_->read(loop_.scratch());
    if (got.closed())
      lose({ErrorCode::kConnectionFailure, "the server closed the connection unexpectedly"});
    if (!got.ok() || !take({loop_.scratch().data(), got.bytes})) continue;
    while (holder_ != nullptr && holder_->blocked()) co_await holder_->unblocked();
  }
}

bool ServerConnection::take(std::string_view bytes) {
  if (kept_.empty()) return relay(bytes);
  std::string input = std::move(kept_);
  kept_.clear();
  input.append(bytes);
  return relay(input);
}

/// Runs of pieces that go to the client unchanged are handed over in one call.
bool ServerConnection::relay(std::string_view input) {
  const char* run = input.data();  // What is to be forwarded begins here …
  const char* at = run;            // … and what was cut off ends here.
  const auto flush = [&](const char* end) {
    if (holder_ != nullptr && end != run) holder_->forward({run, static_cast<size_t>(end - run)});
    run = end;
  };
  for (;;) {
    const auto piece = cutter_.next(input);
    if (!piece) {
      flush(at);
      lose(piece.error());
      return false;
    }
    if (piece->kind == Piece::Kind::kNone) break;
    at = piece->bytes.data() + piece->bytes.size();
    if (holder_ == nullptr) {
      if (!take_idle(*piece)) return false;
      run = at;
      continue;
    }
    const core::Relayed relayed = holder_->on_server_piece(*piece);
    if (lost_) return false;
    if (relayed.broken != nullptr) {
      flush(piece->bytes.data());
      lose(*relayed.broken);
      return false;
    }
    if (relayed.discard) {
      run = at;
    } else if (!relayed.before.empty() || !relayed.forward) {
      flush(piece->bytes.data());
    }
    if (!relayed.before.empty()) holder_->forward(relayed.before);
    if (!relayed.forward) run = at;
    if (!relayed.after.empty() || relayed.done) flush(at);
    if (!relayed.after.empty()) holder_->forward(relayed.after);
    if (relayed.done) {
      LeaseHolder* holder = holder_;
      holder->on_server_done();
      if (lost_) return false;
    }
  }
  flush(at);
  kept_.assign(input);
  return true;
}

/// What an idle server may say: parameters, notices, notifications for nobody, and that it goes
/// away (F26).
bool ServerConnection::take_idle(const Piece& piece) {
  if (piece.type == backend::kParameterStatus && piece.kind == Piece::Kind::kWhole) {
    if (const auto status = wire::ParameterStatus::decode(piece.body()))
      state_.on_parameter(status->name, status->value);
    return true;
  }
  if (piece.type == backend::kNoticeResponse || piece.type == backend::kNotificationResponse)
    return true;
  std::string why = "the idle server sent a message that nobody asked for";
  if (piece.type == backend::kErrorResponse) {
    why = "the idle server said: " +
          wire::printable(wire::ErrorFields::decode_head(piece.body()).message(), 300);
  }
  lose({ErrorCode::kConnectionFailure, std::move(why)});
  return false;
}

void ServerConnection::lose(Error why) {
  if (lost_) return;
  lost_ = true;
  stream_->shutdown();
  if (LeaseHolder* holder = std::exchange(holder_, nullptr)) holder->on_server_lost(why);
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
  }
  holder_ = nullptr;
  lost_ = true;
  stream_->shutdown();
}

ServerConnection::Parts ServerConnection::take_apart() {
  return {stream_->detach(), std::move(state_)};
}

}  // namespace fairlead::proxy
