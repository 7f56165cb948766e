// Interrupts a stream when something takes too long: a guard for one scope of one coroutine.
#pragma once

#include <memory>

#include "net/stream.h"

namespace fairlead::net {

class Deadline {
 public:
  /// After `span`, `stream` is shut down and expired() turns true. The stream must outlive the
  /// guard.
  Deadline(Loop& loop, Stream& stream, Duration span);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  bool expired() const { return state_->expired; }

 private:
  struct State {
    Stream* stream;  // Null once the guard is gone.
    bool expired = false;
  };

  std::shared_ptr<State> state_;
  Timer timer_;
};

}  // namespace fairlead::net
