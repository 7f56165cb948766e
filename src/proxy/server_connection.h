// One pooled connection to PostgreSQL: its stream, what the server owes, and what the session on it
// has.
//
// A coroutine of its own reads it for as long as it lives, leased or idle, so that a death, a
// changed parameter or a FATAL is noticed at once (F26). While it is leased, every message goes to
// its LeaseHolder. Belongs to its worker's thread; while idle it can be taken apart and given to
// another worker (Parts).
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "core/server_relay.h"
#include "core/server_state.h"
#include "net/outbox.h"

namespace fairlead::proxy {

/// Who holds a leased server. All calls come on the worker's thread, and from the server's reading
/// coroutine but for two: on_server_lost() may come from tick(), and on_server_drained() from
/// whatever writes to the server.
class LeaseHolder {
 public:
  virtual core::Relayed on_server_piece(const wire::Piece& piece) = 0;
  /// Bytes for the client: a run of forwarded pieces, as few calls as possible.
  virtual void forward(std::string_view bytes) = 0;
  virtual void on_server_done() = 0;
  /// The server is gone or broke the protocol; it is no longer leased when this is called.
  virtual void on_server_lost(const Error& why) = 0;
  /// What was sent to the server and did not fit is out now.
  virtual void on_server_drained() = 0;
  /// Back-pressure: while this is true the server is not read.
  virtual bool blocked() const = 0;
  virtual net::Task<void> unblocked() = 0;

 protected:
  ~LeaseHolder() = default;
};

using core::ServerState;

class ServerConnection final : private core::RelaySink {
 public:
  ServerConnection(net::Loop& loop, std::unique_ptr<net::Stream> stream, ServerState state);
  ~ServerConnection();

  /// Reads until the connection ends or stop_reading(). The owner runs it once and joins before
  /// destroying.
  net::Task<void> read();
  /// Makes read() return, leaving the connection as it is, if it is idle.
  void stop_reading();
  /// Call it a few times a second while it is leased: a server whose host is gone in the middle of
  /// a statement is lost once TCP has heard nothing for `unheard_max` (F56). 0: never.
  void tick(Time now, Duration unheard_max);
  /// Ends the connection; read() returns.
  void close(bool say_goodbye);
  net::Task<void> join() { return spawner_.join(); }

  void lease_to(LeaseHolder& holder) { holder_ = &holder; }
  void end_lease() { holder_ = nullptr; }
  bool leased() const override { return holder_ != nullptr; }

  void send(std::string_view bytes) { outbox_.send(bytes); }
  net::Outbox& outbox() { return outbox_; }
  ServerState& state() { return state_; }
  const ServerState& state() const { return state_; }

  /// Nothing is owed, nothing waits to be sent, no half message was read, and the transaction
  /// status is idle (F21, F50).
  bool is_clean() const;
  bool lost() const { return lost_; }

  struct Parts {
    net::DetachedStream stream;
    ServerState state;
  };
  /// After read() has returned because of stop_reading().
  Parts take_apart();

 private:
  // core::RelaySink.
  bool given_up() const override { return lost_; }
  core::Relayed on_server_piece(const wire::Piece& piece) override {
    return holder_->on_server_piece(piece);
  }
  void forward(std::string_view bytes) override { holder_->forward(bytes); }
  void on_server_done() override { holder_->on_server_done(); }
  Result<void> on_idle_piece(const wire::Piece& piece) override;

  void lose(Error why);

  net::Loop& loop_;
  std::unique_ptr<net::Stream> stream_;
  net::Spawner spawner_;
  net::Outbox outbox_;
  core::ServerRelay relay_;
  ServerState state_;
  LeaseHolder* holder_ = nullptr;
  bool stopping_ = false;
  bool lost_ = false;
};

}  // namespace fairlead::proxy
