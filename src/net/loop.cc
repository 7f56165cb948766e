#include "net/loop.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "net/alarm.h"

namespace fairlead::net {

void Sleep::await_suspend(std::coroutine_handle<> who) {
  who_ = who;
  ev_init(&timer_, [](struct ev_loop*, ev_timer* timer, int) {
    const auto& sleep = *static_cast<Sleep*>(timer->data);
    sleep.loop_.resume_later(sleep.who_);
  });
  timer_.data = this;
  loop_.start(timer_, span_);
}

Loop::Loop()
    : events_(ev_loop_new(unsigned{EVBACKEND_EPOLL} | unsigned{EVFLAG_NOENV})),
      scratch_(std::make_unique<std::array<char, kScratchSize>>()) {
  require(events_ != nullptr, "the system has a descriptor for an event loop");
  ev_async_init(&wake_up_, [](struct ev_loop*, ev_async*, int) {});  // run() looks what there is.
  ev_async_start(events_, &wake_up_);
}

Loop::~Loop() {
  ev_async_stop(events_, &wake_up_);
  ev_loop_destroy(events_);
}

void Loop::run() {
  require(!std::exchange(has_run_, true), "a loop runs once");
  thread_ = std::this_thread::get_id();
  while (!has_stopped()) {
    const bool has_more = !ready_.empty() || has_posted_;
    ev_run(events_, has_more ? EVRUN_NOWAIT : EVRUN_ONCE);
    resume_of(of_first_sockets_);
    resume_of(of_sockets_);
    ring_alarms();
    run_posted();
    resume_ready();
    sends_.send_all();
  }
  thread_ = std::thread::id{};
}

void Loop::stop() {
  stopped_ = true;
  ev_async_send(events_, &wake_up_);
}

void Loop::post(Work work) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
    has_posted_ = true;
  }
  if (!is_here()) ev_async_send(events_, &wake_up_);
}

void Loop::resume(std::coroutine_handle<> who) {
  who.resume();
  if (sends_.is_due()) sends_.send_all();
}

/// In the order in which the kernel tells of them, which libev turns round.
void Loop::resume_of(std::vector<std::coroutine_handle<>>& sockets) {
  for (size_t i = sockets.size(); i-- > 0 && !has_stopped();) resume(sockets[i]);
  sockets.clear();
}

/// After what the sockets have brought: an answer that has come is in time, however late this
/// process was to look at it.
void Loop::ring_alarms() {
  for (size_t i = 0; i < due_.size() && !has_stopped(); ++i) {
    if (Alarm* const alarm = due_[i]) alarm->ring();
  }
  due_.clear();
}

void Loop::forget(Alarm& alarm) { std::ranges::replace(due_, &alarm, nullptr); }

void Loop::run_posted() {
  if (!has_posted_) return;
  {
    const std::lock_guard lock(mutex_);
    working_.swap(posted_);
    has_posted_ = false;
  }
  for (Work& work : working_) {
    if (has_stopped()) break;
    work();
  }
  working_.clear();
}

/// Not those that become ready meanwhile: sockets get their turn between.
void Loop::resume_ready() {
  resuming_.swap(ready_);
  for (const std::coroutine_handle<> coroutine : resuming_) {
    if (has_stopped()) break;
    resume(coroutine);
  }
  resuming_.clear();
}

void Loop::start(ev_timer& timer, Duration span) {
  const std::chrono::duration<double> seconds = std::max(span, Duration{0});
  ev_now_update(events_);  // Or it would count from the beginning of this turn.
  ev_timer_set(&timer, seconds.count(), 0.);
  ev_timer_start(events_, &timer);
}

Time Loop::now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

}  // namespace fairlead::net
