#include "proxy/positions_queue.h"

#include <algorithm>

namespace fairlead::proxy {
namespace {

// Looking whose time is over costs a look at all of them: waits end so much later at most.
constexpr Duration kLookGapMin = std::chrono::milliseconds(1);

}  // namespace

void PositionsQueue::add(Waiter& waiter, Time until) {
  waiters_.add(waiter, until);
  if (stopping_) return;
  if (watching_) {
    if (until < next_) changed_.notify_all();
    return;
  }
  watching_ = true;
  spawner_.spawn(watch_clock());
}

net::Task<void> PositionsQueue::watch_clock() {
  while (!waiters_.empty() && !stopping_) {
    next_ = *waiters_.next_until();
    const Time now = net::Loop::now();
    if (next_ > now) co_await changed_.wait_for(std::max(next_ - now, kLookGapMin));
    waiters_.expire(net::Loop::now());
  }
  watching_ = false;
}

void PositionsQueue::stop() {
  stopping_ = true;
  changed_.notify_all();
}

}  // namespace fairlead::proxy
