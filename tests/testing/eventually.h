// Waiting in tests: ask again and again until it is so, or the time is up. Nothing else in tests
// sleeps.
//
// The namespace is fairlead::test, not fairlead::testing, so that `testing::` stays GoogleTest's.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace fairlead::test {

inline constexpr std::chrono::milliseconds kPauseMax{500};

/// True as soon as `predicate` is; false when it was not within `timeout`. Asks at least twice, and
/// for a quarter of the time at most: what is waited for needs the processor, too.
template <class Predicate>
[[nodiscard]] bool eventually(Predicate predicate,
                              std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
  using Clock = std::chrono::steady_clock;
  using Span = Clock::duration;
  const auto deadline = Clock::now() + timeout;
  for (Span pause = std::chrono::milliseconds(1);;
       pause = std::min<Span>(pause * 2, std::chrono::milliseconds(20))) {
    const auto began = Clock::now();
    if (predicate()) return true;
    const auto ended = Clock::now();
    if (ended >= deadline) return predicate();
    std::this_thread::sleep_for(std::clamp<Span>(3 * (ended - began), pause, kPauseMax));
  }
}

}  // namespace fairlead::test
