// Waiting in tests: ask again and again until it is so, or the time is up. Nothing else in tests
// sleeps.
//
// The namespace is fairlead::test, not fairlead::testing, so that `testing::` stays GoogleTest's.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace fairlead::test {

/// True as soon as `predicate` is; false when it was not within `timeout`. Asks at least twice.
template <class Predicate>
[[nodiscard]] bool eventually(Predicate predicate,
                              std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (std::chrono::milliseconds pause{1};;
       pause = std::min(pause * 2, std::chrono::milliseconds(20))) {
    if (predicate()) return true;
    if (std::chrono::steady_clock::now() >= deadline) return predicate();
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace fairlead::test
