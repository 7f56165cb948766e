// What is known of one name in DNS: the addresses of the last answer, and what became of the
// look-up that was made last.
//
// Whoever needs addresses waits for a look-up. One that gets no answer in time is not waited for
// where there was an answer before: what is remembered counts instead (RFC 8767). A name that
// the name servers say does not exist is forgotten.
//
// Pure; who looks up and who waits is resolver.h's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "net/address.h"

namespace fairlead::net {

/// Where one name leads to, in the order in which to try; the ports are 0.
using Addresses = std::vector<Address>;

/// What one look-up brought.
struct LookedUp {
  Addresses addresses = {};  // Empty: there is trouble.
  std::string trouble = {};  // In the system's words.
  /// With trouble: the name servers have said that there is no such name. Else nobody answered.
  bool is_refuted = false;
};

/// How long a look-up is waited for when there are addresses that are remembered. Answers take
/// milliseconds, or the length of somebody's timeout; probe_timeout is 1 s.
inline constexpr Duration kLookUpPatience = std::chrono::milliseconds(250);
/// Addresses that were not confirmed for longer are not used any more: RFC 8767 proposes one to
/// three days. Whoever answers there must still show that it is the node that is meant.
inline constexpr Duration kRememberedMax = std::chrono::hours(24);

class KnownHost {
 public:
  void on_begin(Time now) { begun_at_ = now; }
  void on_end(LookedUp found, Time now);

  bool looks_up() const { return begun_at_.has_value(); }
  /// How many look-ups have ended.
  uint64_t ended() const { return ended_; }

  struct Outcome {
    Addresses addresses = {};  // Empty: there is trouble.
    std::string trouble = {};
    std::optional<Duration> age = {};  // They are remembered, since so long ago.
  };
  /// For whoever asked when `ended_before` look-ups had ended, and waits for one no longer than
  /// `patience` if it need not. nullopt: not yet.
  std::optional<Outcome> outcome(uint64_t ended_before, Duration patience, Time now) const;
  /// When to look at outcome() again if no look-up ends before; nullopt: nothing else will do.
  std::optional<Time> patient_until(Duration patience, Time now) const;

 private:
  bool remembers(Time now) const;

  std::optional<Time> begun_at_;  // Of the look-up that is on its way.
  uint64_t ended_ = 0;
  LookedUp last_;
  Addresses addresses_;  // The last that were an answer.
  Time answered_at_{};
};

}  // namespace fairlead::net
