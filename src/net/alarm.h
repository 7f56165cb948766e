// Calls a function when something takes too long: a guard for one scope.
#pragma once

#include <functional>
#include <utility>

#include "net/loop.h"

namespace fairlead::net {

class Alarm {
 public:
  /// Calls `ring` once after `span`, on the loop's thread, unless the alarm is destroyed before;
  /// `ring` may destroy it.
  Alarm(Loop& loop, Duration span, std::function<void()> ring)
      : loop_(loop), ring_(std::move(ring)) {
    ev_init(&timer_, [](struct ev_loop*, ev_timer* timer, int) {
      auto& alarm = *static_cast<Alarm*>(timer->data);
      alarm.is_due_ = true;
      alarm.loop_.on_alarm(alarm);
    });
    timer_.data = this;
    loop_.start(timer_, span);
  }
  ~Alarm() {
    ev_timer_stop(loop_.events(), &timer_);
    if (is_due_) loop_.forget(*this);
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

 private:
  friend Loop;

  /// It may be destroyed meanwhile.
  void ring() {
    const std::function<void()> call = std::move(ring_);
    call();
  }

  Loop& loop_;
  std::function<void()> ring_;
  ev_timer timer_{};
  bool is_due_ = false;  // The loop will ring it in this turn.
};

}  // namespace fairlead::net
