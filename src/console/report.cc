#include "console/report.h"

#include <algorithm>
#include <iterator>

namespace fairlead::console {
namespace {

/// A few hundred shapes of each side: looked for one by one.
void add_shapes(std::vector<core::ObservedShape>& to, std::vector<core::ObservedShape> from) {
  for (core::ObservedShape& shape : from) {
    const auto same = std::ranges::find_if(to, [&](const core::ObservedShape& known) {
      return known.foreseen == shape.foreseen && known.reason == shape.reason &&
             known.is_read == shape.is_read && known.shape == shape.shape;
    });
    if (same == to.end())
      to.push_back(std::move(shape));
    else
      same->count += shape.count;
  }
}

}  // namespace

void Report::add(Report part) {
  for (size_t i = 0; i < sql::kReasonCount; ++i) {
    to_primary[i] += part.to_primary[i];
    to_replica[i] += part.to_replica[i];
  }
  std::ranges::move(part.pins, std::back_inserter(pins));
  for (ObservedDatabase& other : part.observed) {
    const auto same = std::ranges::find(observed, other.database, &ObservedDatabase::database);
    if (same == observed.end()) {
      observed.push_back(std::move(other));
      continue;
    }
    same->since_s = std::max(same->since_s, other.since_s);
    same->totals.add(other.totals);
    add_shapes(same->shapes, std::move(other.shapes));
  }
}

}  // namespace fairlead::console
