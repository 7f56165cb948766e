// Requests that wait for news of the nodes, or until they have waited long enough: in what order
// they are told, and when the next one's time is over.
//
// Pure; the clock that calls expire() is proxy/positions_queue. A waiter belongs to whoever asked,
// and stays where it is as long as it waits.
#pragma once

#include <optional>
#include <vector>

#include "base/time.h"

namespace fairlead::core {

class PositionWaiter {
 public:
  /// The nodes' positions are known anew. Whoever still has to wait says add() again.
  virtual void on_positions() = 0;
  virtual void on_positions_timeout() = 0;
  bool waits_for_positions() const { return waits_; }

 protected:
  ~PositionWaiter() = default;

 private:
  friend class PositionWaiters;
  Time until_{};
  bool waits_ = false;
};

class PositionWaiters {
 public:
  /// `waiter` must live until it is told, or until remove().
  void add(PositionWaiter& waiter, Time until);
  void remove(PositionWaiter& waiter);

  /// Tells each that waits now, once.
  void on_positions();
  /// Tells those whose time is over.
  void expire(Time now);

  /// When expire() is due; nullopt: nobody waits.
  std::optional<Time> next_until() const;
  bool empty() const { return waiters_.empty(); }

 private:
  std::vector<PositionWaiter*> waiters_;
};

}  // namespace fairlead::core
