// Requests that wait for news of the nodes, or until they have waited long enough: in what order
// they are told, and when the next one's time is over.
//
// Thousands may wait while there is no primary, and news come many times a second: whoever begins
// to wait, leaves or is told costs the same however many others wait. Only expire() looks at all.
//
// Pure; the clock that calls expire() is proxy/positions_queue. A waiter belongs to whoever asked,
// and stays where it is as long as it waits.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

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
  uint64_t place_ = 0;  // Its number in the queue, while it waits.
  bool waits_ = false;
};

class PositionWaiters {
 public:
  /// `waiter` must live until it is told, or until remove(). One that waits already waits anew.
  void add(PositionWaiter& waiter, Time until);
  /// Nothing happens to one that does not wait.
  void remove(PositionWaiter& waiter);

  /// Tells each that waits now, once.
  void on_positions();
  /// Tells those whose time is over.
  void expire(Time now);

  /// When expire() is due: nobody's time is over before. nullopt: nobody waits.
  std::optional<Time> next_until() const;
  bool empty() const { return waiting_ == 0; }

 private:
  struct Place {
    PositionWaiter* waiter;  // Null: it has left.
    Time until;
  };

  PositionWaiter& leave(Place& place);
  void drop_empty_front();

  std::deque<Place> places_;  // Oldest first. Empty ones are gone with the next positions.
  uint64_t first_ = 0;        // The number of the front, which is not empty.
  size_t waiting_ = 0;
  Time soonest_{};  // Nobody's time is over before; who it was of may have left.
};

}  // namespace fairlead::core
