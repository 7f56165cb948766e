#include "core/position_waiters.h"

#include <algorithm>
#include <iterator>

namespace fairlead::core {

void PositionWaiters::add(PositionWaiter& waiter, Time until) {
  waiter.until_ = until;
  waiter.waits_ = true;
  waiters_.push_back(&waiter);
}

void PositionWaiters::remove(PositionWaiter& waiter) {
  waiter.waits_ = false;
  std::erase(waiters_, &waiter);
}

void PositionWaiters::on_positions() {
  // Telling one may make it wait again, or make another leave: that one must not be told any more.
  for (size_t left = waiters_.size(); left > 0 && !waiters_.empty(); --left) {
    PositionWaiter& waiter = *waiters_.front();
    remove(waiter);
    waiter.on_positions();
  }
}

void PositionWaiters::expire(Time now) {
  std::vector<PositionWaiter*> due;
  std::ranges::copy_if(waiters_, std::back_inserter(due),
                       [&](const PositionWaiter* waiter) { return waiter->until_ <= now; });
  for (PositionWaiter* waiter : due) {
    if (!waiter->waits_) continue;
    remove(*waiter);
    waiter->on_positions_timeout();
  }
}

std::optional<Time> PositionWaiters::next_until() const {
  if (waiters_.empty()) return std::nullopt;
  return (*std::ranges::min_element(waiters_, {}, &PositionWaiter::until_))->until_;
}

}  // namespace fairlead::core
