// A timeline's history, as in PostgreSQL's NNNNNNNN.history files: which timelines it descends from
// and where it left them (D20).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/lsn.h"

namespace fairlead::core {

struct TimelineSwitch {
  uint32_t timeline = 0;  // The ancestor that was left …
  Lsn at{};               // … at this position: what lies above it there is lost.
  bool operator==(const TimelineSwitch&) const = default;
};

/// Oldest ancestor first. Timeline 1 has an empty history.
struct TimelineHistory {
  std::vector<TimelineSwitch> ancestors;

  /// The content of a history file: lines of "timeline <tab> position <tab> reason", '#' comments.
  /// Timelines must rise. Errors: kProtocolViolation.
  static Result<TimelineHistory> parse(std::string_view text);

  /// Where `timeline` was left on the way here; nullopt when it is no ancestor. A replica that is
  /// promoted before it has reached the end of a timeline writes down that it left a later one
  /// earlier: then that counts.
  std::optional<Lsn> left_at(uint32_t timeline) const;

  bool operator==(const TimelineHistory&) const = default;
};

/// Whether what was written up to `position` on `timeline` is part of `current` with this history:
/// the same timeline, or an ancestor that was left at or after `position` (D20).
bool contains(uint32_t current, const TimelineHistory& history, uint32_t timeline, Lsn position);

}  // namespace fairlead::core
