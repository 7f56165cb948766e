#include "core/position_samples.h"

#include <algorithm>

namespace fairlead::core {

void PositionSamples::add(Time started_at, Lsn position) {
  if (size_ > 0) {
    Sample& newest = samples_[size_ - 1];
    if (started_at <= newest.at) return;
    if (position == newest.position) {
      newest.at = started_at;
      return;
    }
    if (position < newest.position) reset();
  }
  if (size_ == kSamplesMax) thin_out(started_at);
  samples_[size_++] = Sample{started_at, position};
}

// Drops the sample that is missed least: the one whose neighbours are closest to each other, in
// proportion to its age. Both questions then answer with the sample beyond it, which is on the safe
// side: a later position, an earlier time. The newest and the oldest stay.
void PositionSamples::thin_out(Time now) {
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

std::optional<Lsn> PositionSamples::after(Time moment) const {
  auto end = samples_.begin() + static_cast<ptrdiff_t>(size_);
  auto later = std::upper_bound(samples_.begin(), end, moment,
                                [](Time time, const Sample& sample) { return time < sample.at; });
  if (later == end) return std::nullopt;
  return later->position;
}

std::optional<Time> PositionSamples::last_at_or_before(Lsn position) const {
  auto end = samples_.begin() + static_cast<ptrdiff_t>(size_);
  auto beyond =
      std::upper_bound(samples_.begin(), end, position,
                       [](Lsn value, const Sample& sample) { return value < sample.position; });
  if (beyond == samples_.begin()) return std::nullopt;
  return std::prev(beyond)->at;
}

}  // namespace fairlead::core
