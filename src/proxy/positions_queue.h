// Requests that wait for news of the nodes, or until they have waited long enough: reads until a
// replica has replayed what they must see (freshness_wait), and whatever needs a primary until
// there is one (failover_hold). Nobody here holds a server.
//
// One per tenant, on its worker's thread.
#pragma once

#include <vector>

#include "net/spawner.h"

namespace fairlead::proxy {

class PositionsQueue {
 public:
  class Waiter {
   public:
    /// The nodes' positions are known anew. Whoever still has to wait says add() again.
    virtual void on_positions() = 0;
    virtual void on_positions_timeout() = 0;
    bool waits_for_positions() const { return waits_; }

   protected:
    ~Waiter() = default;

   private:
    friend class PositionsQueue;
    Time until_{};
    bool waits_ = false;
  };

  explicit PositionsQueue(net::Loop& loop) : spawner_(loop), changed_(loop) {}

  /// `waiter` must live until it is told, or until remove().
  void add(Waiter& waiter, Time until);
  void remove(Waiter& waiter);
  void on_positions();

  /// Nobody waits and no clock runs: it can be destroyed.
  bool is_unused() const { return waiters_.empty() && spawner_.running() == 0; }

  /// Ends the clock; then join.
  void stop();
  net::Task<void> join() { return spawner_.join(); }

 private:
  net::Task<void> watch_clock();
  void expire(Time now);

  net::Spawner spawner_;
  net::Signal changed_;
  std::vector<Waiter*> waiters_;
  Time next_{};  // When the clock looks next; while watching_.
  bool watching_ = false;
  bool stopping_ = false;
};

}  // namespace fairlead::proxy
