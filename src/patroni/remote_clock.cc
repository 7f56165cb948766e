#include "patroni/remote_clock.h"

#include <algorithm>
#include <cstdlib>

namespace fairlead::patroni {
namespace {

// Dates are whole seconds, and an answer takes a moment.
constexpr int64_t kJitterS = 3;
constexpr Duration kUntilTrusted = std::chrono::seconds(60);

}  // namespace

int64_t RemoteClock::read(int64_t date_s, Time asked_at) {
  const int64_t ours_s =
      std::chrono::duration_cast<std::chrono::seconds>(asked_at.time_since_epoch()).count();
  const int64_t ahead_s = date_s - ours_s;
  const bool keeps_time = ahead_s_ && std::abs(ahead_s - last_ahead_s_) <= kJitterS;
  if (!keeps_time) {
    keeps_time_since_ = asked_at;
    last_ahead_s_ = ahead_s;
  }
  const bool was_set = asked_at - keeps_time_since_ >= kUntilTrusted;
  ahead_s_ = ahead_s_ && !was_set ? std::max(*ahead_s_, ahead_s) : ahead_s;
  return std::max(date_s, ours_s + *ahead_s_ - kJitterS);
}

}  // namespace fairlead::patroni
