// Calls a function when something takes too long: a guard for one scope.
#pragma once

#include <functional>
#include <memory>

#include "net/loop.h"

namespace fairlead::net {

class Alarm {
 public:
  /// Calls `ring` once after `span`, on the loop's thread, unless the alarm is destroyed before;
  /// `ring` may destroy it.
  Alarm(Loop& loop, Duration span, std::function<void()> ring)
      : ring_(std::make_shared<std::function<void()>>(std::move(ring))),
        timer_(loop.executor(), span) {
    // The handler may be queued already when the alarm goes: then it finds nothing to call.
    timer_.async_wait([ring = std::weak_ptr(ring_)](boost::system::error_code error) {
      if (error) return;
      if (const auto alive = ring.lock()) (*alive)();
    });
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

 private:
  std::shared_ptr<std::function<void()>> ring_;
  Timer timer_;
};

}  // namespace fairlead::net
