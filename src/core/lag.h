// How far a replica is behind, honestly, without writing to the database.
//
// now() - pg_last_xact_replay_timestamp() grows for ever on an idle primary, and receive = replay
// says zero on a dead link. Instead: keep (time, position of the primary) samples. A replica that
// has replayed to R has everything that the primary had committed when the newest sample <= R was
// taken, so its lag is at most the age of that sample. An idle primary gives zero; a dead link
// grows.
//
// What it does not know: anything before its first sample. A replica behind that one has an unknown
// lag, and unknown is never "fresh enough". Samples are FLUSH positions: a replica can reach those
// at once. (A flush position inside a record, left by an open transaction, makes a replica look
// behind until the next flush, at most 15 s (D4); the error is on the safe side.)
//
// Lag serves max_lag and status pages. Read-your-writes compares positions (D16, D17), never this.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/lsn.h"
#include "base/time.h"
#include "core/position_samples.h"

namespace fairlead::core {

struct Lag {
  enum class Known : uint8_t {
    kNothing,  // No sample, or the replica has not said where it is.
    kAtLeast,  // Behind the oldest sample: `time` is a lower bound.
    kAtMost,   // `time` is an upper bound, tight to one sample interval.
  };
  Known known = Known::kNothing;
  uint64_t bytes = 0;  // Newest sample minus the replica's position.
  Duration time{0};

  bool operator==(const Lag&) const = default;
};

/// Whether a replica may serve reads that tolerate `max_lag`. What is not known to be within is
/// not.
bool within(const Lag& lag, Duration max_lag);

/// How far replicas are behind one primary in one epoch.
class LagClock {
 public:
  /// As PositionSamples::add(), with what the primary had flushed.
  void add(Time started_at, Lsn flushed) { samples_.add(started_at, flushed); }
  void reset() { samples_.reset(); }

  /// `now` is the moment to measure from. While there is no primary, pass newest_at(): a replica
  /// does not fall behind a primary that writes nothing.
  Lag lag_of(Lsn replayed, Time now) const;

  bool empty() const { return samples_.empty(); }
  Time newest_at() const { return samples_.newest_at(); }
  Lsn newest() const { return samples_.newest(); }
  size_t size() const { return samples_.size(); }

 private:
  PositionSamples samples_;
};

}  // namespace fairlead::core
