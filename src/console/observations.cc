#include "console/observations.h"

namespace fairlead::console {

core::ObservationBook& Observations::book(std::string_view database, Time now) {
  if (const auto found = books_.find(database); found != books_.end()) return found->second;
  const bool is_full = books_.size() >= core::kObservedDatabasesMax;
  const std::string_view name = is_full ? core::kOtherDatabases : database;
  return books_.try_emplace(std::string(name), now).first->second;
}

void Observations::record(std::string_view database, const core::Observation& observation,
                          std::string_view text, sql::LexOptions options, Time now) {
  sql::make_shape(text.substr(0, core::kObservedTextBytesMax), options,
                  sql::LiteralPolicy::kDropAll, shape_);
  book(database, now).record(observation, shape_.text());
}

std::vector<ObservedDatabase> Observations::report(bool with_shapes, Time now) const {
  std::vector<ObservedDatabase> all;
  for (const auto& [database, book] : books_) {
    ObservedDatabase& observed = all.emplace_back();
    observed.database = database;
    observed.since_s = std::chrono::duration<double>(now - book.since()).count();
    observed.totals = book.totals();
    if (with_shapes) observed.shapes = book.shapes();
  }
  return all;
}

}  // namespace fairlead::console
