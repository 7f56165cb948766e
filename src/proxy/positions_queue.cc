#include "proxy/positions_queue.h"

#include <algorithm>

namespace fairlead::proxy {

void PositionsQueue::add(Waiter& waiter, Time until) {
  waiter.until_ = until;
  waiter.waits_ = true;
  waiters_.push_back(&waiter);
  if (stopping_) return;
  if (watching_) {
    if (until < next_) changed_.notify_all();
    return;
  }
  watching_ = true;
  spawner_.spawn(watch_clock());
}

void PositionsQueue::remove(Waiter& waiter) {
  waiter.waits_ = false;
  std::erase(waiters_, &waiter);
}

void PositionsQueue::on_positions() {
  // Telling one may make it wait again, or make another leave: that one must not be told any more.
  for (size_t left = waiters_.size(); left > 0 && !waiters_.empty(); --left) {
    Waiter& waiter = *waiters_.front();
    remove(waiter);
    waiter.on_positions();
  }
}

void PositionsQueue::expire(Time now) {
  std::vector<Waiter*> due;
  std::ranges::copy_if(waiters_, std::back_inserter(due),
                       [&](const Waiter* waiter) { return waiter->until_ <= now; });
  for (Waiter* waiter : due) {
    if (!waiter->waits_) continue;
    remove(*waiter);
    waiter->on_positions_timeout();
  }
}

net::Task<void> PositionsQueue::watch_clock() {
  while (!waiters_.empty() && !stopping_) {
    next_ = (*std::ranges::min_element(waiters_, {}, &Waiter::until_))->until_;
    const Time now = net::Loop::now();
    if (next_ > now) co_await changed_.wait_for(next_ - now);
    expire(net::Loop::now());
  }
  watching_ = false;
}

void PositionsQueue::stop() {
  stopping_ = true;
  changed_.notify_all();
}

}  // namespace fairlead::proxy
