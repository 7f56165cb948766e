// The stack of prior values of one setting: push_old_value() and AtEOXact_GUC() of PostgreSQL's
// guc.c, without GUC_SAVE, which belongs to functions and is never seen from outside.
#include <algorithm>
#include <utility>

#include "core/variables.h"

namespace fairlead::core {

size_t SessionVariables::bytes_of(const Tracked& tracked) {
  const auto bytes_of_value = [](const Value& value) { return value ? value->bytes() : 0; };
  size_t bytes = tracked.name.size() + bytes_of_value(tracked.current);
  for (const Level& level : tracked.levels)
    bytes += sizeof(Level) + bytes_of_value(level.prior) + bytes_of_value(level.masked);
  return bytes;
}

void SessionVariables::push_prior(Tracked& tracked, size_t nesting, SetScope scope) {
  if (tracked.levels.empty() || tracked.levels.back().nesting < nesting) {
    tracked.levels.push_back({.nesting = nesting,
                              .change = scope == SetScope::kSession ? Change::kSet : Change::kLocal,
                              .prior = tracked.current,
                              .masked = {}});
    return;
  }
  Level& top = tracked.levels.back();
  if (scope == SetScope::kSession) {
    top.change = Change::kSet;  // Overrides what was done at the same level.
    top.masked.reset();
  } else if (top.change == Change::kSet) {
    top.change = Change::kSetLocal;
    top.masked = tracked.current;
  }
}

void SessionVariables::commit_levels(Tracked& tracked, size_t nesting) {
  auto& levels = tracked.levels;
  while (!levels.empty() && levels.back().nesting >= nesting) {
    Level& top = levels.back();
    if (top.nesting == 1) {
      if (top.change == Change::kLocal) tracked.current = std::move(top.prior);
      if (top.change == Change::kSetLocal) tracked.current = std::move(top.masked);
      levels.pop_back();
      continue;
    }
    Level* below = levels.size() > 1 ? &levels[levels.size() - 2] : nullptr;
    if (!below || below->nesting + 1 < top.nesting) {
      // The levels between have not touched it: it becomes theirs, one after the other.
      top.nesting = std::max(nesting - 1, below ? below->nesting + 1 : 1);
      continue;
    }
    switch (top.change) {
      case Change::kSet:
        below->change = Change::kSet;
        below->masked.reset();
        break;
      case Change::kLocal:
        if (below->change == Change::kSet) {
          below->change = Change::kSetLocal;
          below->masked = std::move(top.prior);
        }
        break;
      case Change::kSetLocal:
        below->change = Change::kSetLocal;
        below->masked = std::move(top.masked);
        break;
    }
    levels.pop_back();
  }
}

void SessionVariables::roll_back_levels(Tracked& tracked, size_t nesting) {
  auto& levels = tracked.levels;
  for (; !levels.empty() && levels.back().nesting >= nesting; levels.pop_back())
    tracked.current = std::move(levels.back().prior);
}

void SessionVariables::end_levels(size_t nesting, bool commit) {
  if (tracked_.empty()) return;
  tracked_bytes_ = 0;
  for (Tracked& tracked : tracked_) {
    if (commit) {
      commit_levels(tracked, nesting);
    } else {
      roll_back_levels(tracked, nesting);
    }
    if (!tracked.levels.empty()) tracked_bytes_ += bytes_of(tracked);
  }
  // Without a level left, a value is the committed one again.
  std::erase_if(tracked_, [](const Tracked& tracked) { return tracked.levels.empty(); });
  update_parse_state();
}

}  // namespace fairlead::core
