// Ctrl-C, SIGTERM and SIGHUP as values to ask for and to wait on.
//
// The first request to stop is polite: whoever works sees stop_flag() and comes to an end. The next
// ones mean "now"; how many it takes until the process simply ends, the owner says. One object at a
// time, because signal handlers are the process's.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"

namespace fairlead::app {

class StopSignals {
 public:
  enum class Hangup : uint8_t {
    kStops,    // The terminal was closed.
    kReloads,  // A daemon's convention.
  };

  /// `stops_max`: the stop that ends the process on the spot with kError.
  StopSignals(Hangup hangup, int stops_max);
  /// Puts the former handlers back.
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// True from the first request on.
  const std::atomic<bool>& stop_flag() const;
  bool stop_requested() const { return stop_flag().load(); }
  int stops() const;
  /// Whether a reload was asked for since the last call.
  bool take_reload();

  /// Returns at the next signal or after `span`.
  void wait(Duration span);
};

}  // namespace fairlead::app
