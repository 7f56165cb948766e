// What time it is over there, by the dates of the answers of one address. Pure.
//
// An answer's own date tells how old what it says is, whatever our clocks differ by. But something
// in between may repeat an old answer with its old date, and it would stay young for ever. So a
// clock that was seen to go on is expected to go on. Only when it keeps time again for a while, it
// was set.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace fairlead::patroni {

class RemoteClock {
 public:
  /// The date to judge an answer by that says `date_s` (Unix time) and was asked for at `asked_at`:
  /// its own, or a later one if this clock is known to be past it.
  int64_t read(int64_t date_s, Time asked_at);

 private:
  std::optional<int64_t> ahead_s_;  // Of our clock.
  int64_t last_ahead_s_ = 0;
  Time keeps_time_since_{};
};

}  // namespace fairlead::patroni
