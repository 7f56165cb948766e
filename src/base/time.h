// Points in time and spans, in microseconds.
//
// Pure code never asks what time it is: callers pass a Time in. Only src/net reads the clock.
#pragma once

#include <chrono>

namespace fairlead {

using Duration = std::chrono::microseconds;
/// A monotonic instant. Time{} is "never" or "not yet", as the member that holds it says.
using Time = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// For people and for JSON.
constexpr double in_seconds(Duration span) { return static_cast<double>(span.count()) / 1e6; }

}  // namespace fairlead
