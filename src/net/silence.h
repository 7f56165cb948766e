// For how long a peer has not been heard, by what somebody who asks a few times a second finds.
#pragma once

#include "base/time.h"

namespace fairlead::net {

class Silence {
 public:
  /// What was found now. Returns for how long nothing has been heard; 0: it is heard.
  Duration on_asked(bool is_heard, Time now) {
    const bool goes_on = !is_heard && since_ != Time{} && now - asked_at_ <= kGapMax;
    asked_at_ = now;
    if (!goes_on) since_ = is_heard ? Time{} : now;
    return is_heard ? Duration{} : now - since_;
  }

 private:
  // Who asks only while a connection is in use may have been away for hours, and heard nothing of
  // all that came meanwhile: what was found before such a gap says nothing of what is found after
  // it. Long enough for a busy thread to be late by.
  static constexpr Duration kGapMax = std::chrono::seconds(1);

  Time since_{};  // Time{}: it is heard.
  Time asked_at_{};
};

}  // namespace fairlead::net
