#include "net/known_host.h"

#include <algorithm>

namespace fairlead::net {

void KnownHost::on_end(LookedUp found, Time now) {
  begun_at_.reset();
  ++ended_;
  last_ = std::move(found);
  if (last_.is_refuted) addresses_.clear();
  if (last_.addresses.empty()) return;
  addresses_ = last_.addresses;
  answered_at_ = now;
}

bool KnownHost::remembers(Time now) const {
  return !addresses_.empty() && now - answered_at_ <= kRememberedMax;
}

/// Who could not be reached a moment ago is not waited for once more.
std::optional<Time> KnownHost::patient_until(Duration patience, Time now) const {
  if (!begun_at_ || !remembers(now)) return std::nullopt;
  const bool was_silent = ended_ > 0 && last_.addresses.empty();
  return was_silent ? *begun_at_ : *begun_at_ + std::min(patience, kLookUpPatience);
}

std::optional<KnownHost::Outcome> KnownHost::outcome(uint64_t ended_before, Duration patience,
                                                     Time now) const {
  const bool has_ended = ended_ > ended_before;
  if (has_ended && !last_.addresses.empty()) return Outcome{.addresses = last_.addresses};
  const auto until = patient_until(patience, now);
  if (remembers(now) && (has_ended || (until && now >= *until)))
    return Outcome{.addresses = addresses_, .age = now - answered_at_};
  if (has_ended) return Outcome{.trouble = last_.trouble};
  return std::nullopt;
}

}  // namespace fairlead::net
