// Edit distance with transpositions (optimal string alignment), over three rows.
#include "config/suggest.h"

#include <algorithm>
#include <array>
#include <limits>

namespace fairlead::config {
namespace {
constexpr size_t kComparedMax = 64;  // Longer than any key; bounds the work that a file can cause.
}

unsigned edit_distance(std::string_view a, std::string_view b) {
  if (a.size() > kComparedMax || b.size() > kComparedMax)
    return std::numeric_limits<unsigned>::max();
  using Row = std::array<unsigned, kComparedMax + 1>;
  Row before{};  // Row i - 2.
  Row above{};   // Row i - 1.
  Row row{};
  for (size_t j = 0; j <= b.size(); ++j) above[j] = static_cast<unsigned>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<unsigned>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const unsigned replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before = above;
    above = row;
  }
  return above[b.size()];
}

std::optional<std::string_view> nearest(std::string_view name,
                                        std::span<const std::string_view> known) {
  std::optional<std::string_view> best;
  unsigned best_distance = std::numeric_limits<unsigned>::max();
  for (const std::string_view candidate : known) {
    const unsigned distance = edit_distance(name, candidate);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = candidate;
  }
  if (!best) return std::nullopt;
  const auto allowed = std::max<size_t>(1, std::max(name.size(), best->size()) / 3);
  return best_distance <= allowed ? best : std::nullopt;
}

}  // namespace fairlead::config
