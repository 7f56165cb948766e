// Requests that wait for news of the nodes, or until they have waited long enough: reads until a
// replica has replayed what they must see (freshness_wait), and whatever needs a primary until
// there is one (failover_hold). Nobody here holds a server.
//
// core/position_waiters with a clock. One per tenant, on its worker's thread.
#pragma once

#include "core/position_waiters.h"
#include "net/spawner.h"

namespace fairlead::proxy {

class PositionsQueue {
 public:
  using Waiter = core::PositionWaiter;

  explicit PositionsQueue(net::Loop& loop) : spawner_(loop), changed_(loop) {}

  /// `waiter` must live until it is told, or until remove().
  void add(Waiter& waiter, Time until);
  void remove(Waiter& waiter) { waiters_.remove(waiter); }
  void on_positions() { waiters_.on_positions(); }

  /// Nobody waits and no clock runs: it can be destroyed.
  bool is_unused() const { return waiters_.empty() && spawner_.running() == 0; }

  /// Ends the clock; then join.
  void stop();
  net::Task<void> join() { return spawner_.join(); }

 private:
  net::Task<void> watch_clock();

  net::Spawner spawner_;
  net::Signal changed_;
  core::PositionWaiters waiters_;
  Time next_{};  // When the clock looks next; while watching_.
  bool watching_ = false;
  bool stopping_ = false;
};

}  // namespace fairlead::proxy
