#include "core/lag.h"

#include <algorithm>

namespace fairlead::core {

bool within(const Lag& lag, Duration max_lag) {
  return lag.known == Lag::Known::kAtMost && lag.time <= max_lag;
}

void LagClock::add(Time started_at, Lsn flushed) {
  if (size_ > 0) {
    Sample& newest = samples_[size_ - 1];
    if (started_at <= newest.at) return;
    if (flushed == newest.position) {
      newest.at = started_at;
      return;
    }
    if (flushed < newest.position) reset();
  }
  if (size_ == kSamplesMax) thin_out(started_at);
  samples_[size_++] = Sample{started_at, flushed};
}

// Drops the sample that is missed least: the one whose neighbours are closest to each other, in
// proportion to its age. A replica between the two then counts from the older one: a lag may look
// longer, never shorter. The newest and the oldest stay.
void LagClock::thin_out(Time now) {
  size_t victim = 1;
  double victim_loss = 0;
  for (size_t i = 1; i + 1 < size_; ++i) {
    auto gap = static_cast<double>((samples_[i + 1].at - samples_[i - 1].at).count());
    auto age = static_cast<double>((now - samples_[i].at).count());
    double loss = gap / age;
    if (i == 1 || loss < victim_loss) {
      victim = i;
      victim_loss = loss;
    }
  }
  for (size_t i = victim; i + 1 < size_; ++i) samples_[i] = samples_[i + 1];
  --size_;
}

Lag LagClock::lag_of(Lsn replayed, Time now) const {
  if (size_ == 0 || !replayed) return {};
  if (replayed >= newest()) return {Lag::Known::kAtMost, 0, Duration::zero()};
  uint64_t bytes = newest().value - replayed.value;
  auto end = samples_.begin() + static_cast<ptrdiff_t>(size_);
  auto beyond = std::upper_bound(
      samples_.begin(), end, replayed,
      [](Lsn position, const Sample& sample) { return position < sample.position; });
  if (beyond == samples_.begin()) return {Lag::Known::kAtLeast, bytes, now - samples_[0].at};
  return {Lag::Known::kAtMost, bytes, now - std::prev(beyond)->at};
}

}  // namespace fairlead::core
