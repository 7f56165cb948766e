// Reads that wait until a replica has replayed what they must see, or until they have waited long
// enough (freshness_wait). Nobody here holds a server.
//
// One per tenant, on its worker's thread.
#pragma once

#include <vector>

#include "net/spawner.h"

namespace fairlead::proxy {

class FreshnessQueue {
 public:
  class Waiter {
   public:
    /// The nodes' positions are known anew. Whoever still has to wait says add() again.
    virtual void on_positions() = 0;
    virtual void on_freshness_timeout() = 0;
    bool waits_for_freshness() const { return waits_; }

   protected:
    ~Waiter() = default;

   private:
    friend class FreshnessQueue;
    Time until_{};
    bool waits_ = false;
  };

  explicit FreshnessQueue(net::Loop& loop) : spawner_(loop), stopped_(loop) {}

  /// `waiter` must live until it is told, or until remove().
  void add(Waiter& waiter, Time until);
  void remove(Waiter& waiter);
  void on_positions();

  /// Ends the clock; then join.
  void stop();
  net::Task<void> join() { return spawner_.join(); }

 private:
  net::Task<void> watch_clock();
  void expire(Time now);

  net::Spawner spawner_;
  net::Signal stopped_;
  std::vector<Waiter*> waiters_;
  bool watching_ = false;
  bool stopping_ = false;
};

}  // namespace fairlead::proxy
