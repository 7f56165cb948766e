// The nearest known name to one that is not known.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace fairlead::config {

/// The number of single-character insertions, deletions, replacements and swaps of neighbours
/// between two names. O(a * b); names longer than 64 count as infinitely far.
unsigned edit_distance(std::string_view a, std::string_view b);

/// The known name that is nearest to `name`, when it is near enough to be a slip of the hand: at
/// most a third of its letters, and at least one, are wrong.
std::optional<std::string_view> nearest(std::string_view name,
                                        std::span<const std::string_view> known);

}  // namespace fairlead::config
