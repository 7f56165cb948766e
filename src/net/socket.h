// A socket that a loop watches: its owner awaits that it can be read from or written to.
//
// A socket belongs to its loop's thread; release() takes the descriptor away from both. What is
// watched stays armed in the kernel from one wait to the next, so that waiting costs no system call
// of its own.
#pragma once

#include <coroutine>

#include "net/loop.h"

namespace fairlead::net {

class Socket {
 public:
  /// Owns `fd`, which must not block.
  Socket(Loop& loop, int fd);
  /// Nobody waits for the other.
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&&) = delete;
  ~Socket() { close(); }

  int fd() const { return fd_; }
  Loop& loop() { return loop_; }

  /// To be awaited: completes when reading (accepting, writing, being connected) may make progress.
  /// True: try it; false: interrupted, or closed. One coroutine at a time waits for each.
  auto readable() { return Waiting{*this, reading_}; }
  auto writable() { return Waiting{*this, writing_}; }

  /// What happens to it is told of before what happens to others in the same turn.
  void be_told_first() { is_first_ = true; }

  /// Ends pending waits, but those that the loop has found an event for already: these complete as
  /// if nothing had been said, so whoever interrupts says so by a flag of its own, too.
  void interrupt();
  /// Ends pending waits and closes at once. Nothing if it is closed already.
  void close();
  /// Gives the descriptor away, open. Nobody waits.
  int release();

 private:
  struct Waiting;

  /// One direction.
  struct Side {
    ev_io watcher{};
    Waiting* waiting = nullptr;  // In the frame of the coroutine that waits.
  };

  struct Waiting {
    Socket& socket;
    Side& side;
    std::coroutine_handle<> who{};
    bool is_interrupted = false;

    bool await_ready() { return is_interrupted = socket.fd_ < 0; }
    void await_suspend(std::coroutine_handle<> waiter);
    bool await_resume() const { return !is_interrupted; }
  };

  static void on_event(struct ev_loop* events, ev_io* watcher, int what);
  void watch(Side& side, int events);
  void forget();

  Loop& loop_;
  int fd_;
  bool is_first_ = false;
  Side reading_;
  Side writing_;
};

}  // namespace fairlead::net
