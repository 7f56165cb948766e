// Interrupts a stream when something takes too long: a guard for one scope of one coroutine.
#pragma once

#include "net/alarm.h"
#include "net/stream.h"

namespace fairlead::net {

class Deadline {
 public:
  /// After `span`, `stream` is shut down and expired() turns true. The stream must outlive the
  /// guard.
  Deadline(Loop& loop, Stream& stream, Duration span)
      : alarm_(loop, span, [this, &stream] {
          expired_ = true;
          stream.shutdown();
        }) {}

  bool expired() const { return expired_; }

 private:
  bool expired_ = false;
  Alarm alarm_;
};

}  // namespace fairlead::net
