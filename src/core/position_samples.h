// Where the primary was, and when: samples of its position, sparse where they are old.
//
// Memory is fixed: when it is full, one sample goes, chosen so that the spacing of the others stays
// in proportion to their age (about 5 % for a day of one sample a second). add() is O(samples)
// then, the questions are O(log samples). Pure; a value.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/lsn.h"
#include "base/time.h"

namespace fairlead::core {

class PositionSamples {
 public:
  /// The primary was at `position` in a statement that STARTED at `started_at`: every commit
  /// acknowledged before `started_at` lies below. Samples older than the newest one are ignored. A
  /// position that goes backwards is another history: all samples are dropped first.
  void add(Time started_at, Lsn position);
  /// A new primary: its positions say nothing about the old one's.
  void reset() { size_ = 0; }

  /// The lowest position that is known to lie above everything that was acknowledged up to
  /// `moment`; nullopt: no sample has begun since.
  std::optional<Lsn> after(Time moment) const;
  /// When the primary was last seen at or before `position`; nullopt: not since the oldest sample.
  std::optional<Time> last_at_or_before(Lsn position) const;

  bool empty() const { return size_ == 0; }
  Time oldest_at() const { return size_ == 0 ? Time{} : samples_[0].at; }
  Time newest_at() const { return size_ == 0 ? Time{} : samples_[size_ - 1].at; }
  Lsn newest() const { return size_ == 0 ? Lsn{} : samples_[size_ - 1].position; }
  size_t size() const { return size_; }

 private:
  struct Sample {
    Time at{};  // The LAST time that this position was seen.
    Lsn position{};
  };
  static constexpr size_t kSamplesMax = 256;

  void thin_out(Time now);

  std::array<Sample, kSamplesMax> samples_{};
  size_t size_ = 0;
};

}  // namespace fairlead::core
