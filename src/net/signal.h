// A condition variable for the coroutines of one loop: whoever waits checks its condition again
// after each wake-up.
//
//   while (!ready()) co_await changed.wait();
//
// Nothing can be missed between the check and the wait, because both run on one thread without a
// suspension between.
#pragma once

#include "net/loop.h"

namespace fairlead::net {

class Signal {
 public:
  explicit Signal(Loop& loop) : timer_(loop.executor(), Timer::time_point::max()) {}

  /// Resumes at the next notify_all().
  auto wait() { return timer_.async_wait(use_result); }

  /// Resumes at the next notify_all() or after `span`, whichever is first. Only one waiter may use
  /// this form at a time.
  Task<void> wait_for(Duration span) {
    timer_.expires_after(span);
    co_await timer_.async_wait(use_result);
    timer_.expires_at(Timer::time_point::max());
  }

  void notify_all() { timer_.cancel(); }

 private:
  Timer timer_;
};

}  // namespace fairlead::net
