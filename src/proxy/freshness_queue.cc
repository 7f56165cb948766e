#include "proxy/freshness_queue.h"

#include <algorithm>

namespace fairlead::proxy {

void FreshnessQueue::add(Waiter& waiter, Time until) {
  waiter.until_ = until;
  waiter.waits_ = true;
  waiters_.push_back(&waiter);
  if (watching_ || stopping_) return;
  watching_ = true;
  spawner_.spawn(watch_clock());
}

void FreshnessQueue::remove(Waiter& waiter) {
  waiter.waits_ = false;
  std::erase(waiters_, &waiter);
}

void FreshnessQueue::on_positions() {
  // Telling one may make it wait again, or make another leave: that one must not be told any more.
  for (size_t left = waiters_.size(); left > 0 && !waiters_.empty(); --left) {
    Waiter& waiter = *waiters_.front();
    remove(waiter);
    waiter.on_positions();
  }
}

void FreshnessQueue::expire(Time now) {
  std::vector<Waiter*> due;
  std::ranges::copy_if(waiters_, std::back_inserter(due),
                       [&](const Waiter* waiter) { return waiter->until_ <= now; });
  for (Waiter* waiter : due) {
    if (!waiter->waits_) continue;
    remove(*waiter);
    waiter->on_freshness_timeout();
  }
}

net::Task<void> FreshnessQueue::watch_clock() {
  while (!waiters_.empty() && !stopping_) {
    const Time next = (*std::ranges::min_element(waiters_, {}, &Waiter::until_))->until_;
    const Time now = net::Loop::now();
    if (next > now) co_await stopped_.wait_for(next - now);
    expire(net::Loop::now());
  }
  watching_ = false;
}

void FreshnessQueue::stop() {
  stopping_ = true;
  stopped_.notify_all();
}

}  // namespace fairlead::proxy
