// What is on its way out of one stream. send() tries the socket at once; only what the socket does
// not take is kept, and a coroutine of its own writes it when the peer reads again.
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
  /// `stream` and `spawner` must outlive the outbox's coroutine: join the spawner before either
  /// dies.
  Outbox(Loop& loop, Stream& stream, Spawner& spawner)
      : stream_(stream), spawner_(spawner), drained_(loop) {}

  void send(std::string_view bytes);

  /// Bytes wait for the peer.
  bool blocked() const { return !waiting_.empty(); }
  size_t size() const { return waiting_.size(); }
  /// The peer is gone; everything sent from now on is dropped. The reader of the stream sees its
  /// end.
  bool broken() const { return broken_; }

  /// Returns when nothing waits any more, or the peer is gone. Only for those whom the outbox
  /// outlives.
  Task<void> drained();
  /// Called at the same moments, for those whom it may not outlive.
  void on_drained(std::function<void()> listener) { listener_ = std::move(listener); }

 private:
  Task<void> drain();
  void give_up();
  void tell();

  Stream& stream_;
  Spawner& spawner_;
  Signal drained_;
  std::function<void()> listener_;
  std::string waiting_;
  size_t sent_ = 0;  // Bytes at the front of waiting_ that are already out.
  bool draining_ = false;
  bool broken_ = false;
};

}  // namespace fairlead::net
