#include "core/position_waiters.h"

#include <algorithm>
#include <utility>

namespace fairlead::core {

void PositionWaiters::add(PositionWaiter& waiter, Time until) {
  remove(waiter);
  soonest_ = places_.empty() ? until : std::min(soonest_, until);
  waiter.place_ = first_ + places_.size();
  waiter.waits_ = true;
  places_.push_back({&waiter, until});
  ++waiting_;
}

/// Who was there, and is not any more.
PositionWaiter& PositionWaiters::leave(Place& place) {
  PositionWaiter& waiter = *std::exchange(place.waiter, nullptr);
  waiter.waits_ = false;
  --waiting_;
  return waiter;
}

void PositionWaiters::drop_empty_front() {
  while (!places_.empty() && places_.front().waiter == nullptr) {
    places_.pop_front();
    ++first_;
  }
}

void PositionWaiters::remove(PositionWaiter& waiter) {
  if (!waiter.waits_) return;
  leave(places_[waiter.place_ - first_]);
  drop_empty_front();
}

void PositionWaiters::on_positions() {
  // Telling one may make it wait again, behind all others, or make another leave: that one must not
  // be told any more.
  const uint64_t end = first_ + places_.size();
  while (first_ < end && !empty()) {
    PositionWaiter& waiter = leave(places_.front());
    drop_empty_front();
    waiter.on_positions();
  }
}

void PositionWaiters::expire(Time now) {
  if (empty() || now < soonest_) return;
  soonest_ = Time::max();  // Whoever begins to wait meanwhile is among those that it is found of.
  const uint64_t end = first_ + places_.size();
  for (uint64_t number = first_; number < end; ++number) {
    if (number < first_) continue;  // Those in front have left, because another one was told.
    Place& place = places_[number - first_];
    if (place.waiter == nullptr) continue;
    if (place.until <= now)
      leave(place).on_positions_timeout();
    else
      soonest_ = std::min(soonest_, place.until);
  }
  drop_empty_front();
}

std::optional<Time> PositionWaiters::next_until() const {
  if (empty()) return std::nullopt;
  return soonest_;
}

}  // namespace fairlead::core
