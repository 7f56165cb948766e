#include "core/lag.h"

namespace fairlead::core {

bool within(const Lag& lag, Duration max_lag) {
  return lag.known == Lag::Known::kAtMost && lag.time <= max_lag;
}

Lag LagClock::lag_of(Lsn replayed, Time now) const {
  if (samples_.empty() || !replayed) return {};
  if (replayed >= newest()) return {Lag::Known::kAtMost, 0, Duration::zero()};
  const uint64_t bytes = newest().value - replayed.value;
  const auto reached = samples_.last_at_or_before(replayed);
  if (!reached) return {Lag::Known::kAtLeast, bytes, now - samples_.oldest_at()};
  return {Lag::Known::kAtMost, bytes, now - *reached};
}

}  // namespace fairlead::core
