// What is on its way out of one stream. send() holds it back to the end of the loop's turn
// (send_batch.h), where the socket is tried; only what the socket does not take is kept, and a
// coroutine of its own writes it when the peer reads again.
//
// Back-pressure is the caller's: whoever feeds an outbox stops reading its own source while
// blocked(), and goes on when drained() says so. The bytes kept are thereby bounded by one read of
// the source.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "net/spawner.h"
#include "net/stream.h"

namespace fairlead::net {

class Outbox {
 public:
  /// What is held back at most. More than that is written at once, from where it lies.
  static constexpr size_t kHeldBackMax = 4096;

  /// `stream` and `spawner` must outlive the outbox's coroutine: join the spawner before either
  /// dies.
  Outbox(Loop& loop, Stream& stream, Spawner& spawner)
      : loop_(loop), stream_(stream), spawner_(spawner), drained_(loop) {}
  /// What is held back still is lost.
  ~Outbox() { loop_.sends().forget(*this); }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  void send(std::string_view bytes);
  /// Tries the socket with what is held back, now: before the stream is ended or given away.
  void send_now();

  /// Bytes wait for the peer.
  bool blocked() const { return blocked_; }
  /// Bytes that wait for the peer, or for the end of the turn.
  size_t size() const { return waiting_.size() - sent_; }
  /// The peer is gone; everything sent from now on is dropped. The reader of the stream sees its
  /// end.
  bool broken() const { return broken_; }

  /// Sends what is held back, and returns when nothing waits any more, or the peer is gone. Only
  /// for those whom the outbox outlives.
  Task<void> drained();
  /// Called at the same moments, for those whom it may not outlive.
  void on_drained(std::function<void()> listener) { listener_ = std::move(listener); }

  /// For SendBatch. What is held back, if it may go to the socket as it is: TLS has to encrypt it
  /// first.
  std::optional<SendRing::Send> plain_send() const;
  /// For SendBatch. The socket was tried with what is held back. False: the peer is gone, and
  /// whoever waits is yet to be told, by tell().
  bool on_tried(Transfer transfer);
  /// Nothing waits any more.
  void tell();

 private:
  void hold_back(std::string_view bytes);
  void write_through(std::string_view bytes);
  void wait_for_peer();
  Task<void> drain();
  void forget_sent();
  void lose_peer();

  Loop& loop_;
  Stream& stream_;
  Spawner& spawner_;
  Signal drained_;
  std::function<void()> listener_;
  std::string waiting_;  // For the end of the turn, or, while blocked_, for the peer.
  size_t sent_ = 0;      // Bytes at the front of waiting_ that are already out.
  bool held_back_ = false;
  bool blocked_ = false;
  bool broken_ = false;
};

}  // namespace fairlead::net
