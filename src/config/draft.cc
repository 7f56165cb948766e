#include "config/draft.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace fairlead::config {

void Draft::set(const KeyRef& ref, const Value& value, Origin origin, Position at) {
  const std::string name = full_name(ref);
  const SectionRef section = section_in(config_, *ref.section, ref.name);
  if (auto ok = ref.key->read(*ref.key, value, section); !ok) {
    if (at.line == 0) ok.error().detail = "from " + origin.where;
    unreadable_.insert(name);
    return report_at(at, name, std::move(ok.error()), origin.kind);
  }
  places_[name] = at;
  config_.origins[name] = std::move(origin);
}

void Draft::add_section(const Section& section, std::string_view name, Position at) {
  section_in(config_, section, name);
  places_[full_name(section, name)] = at;
}

void Draft::report(const std::string& name, Error error) {
  if (unreadable_.contains(name)) return;
  const Position at = place_of(name);
  const auto origin = config_.origins.find(name);
  if (at.line != 0 || origin == config_.origins.end()) return report_at(at, name, std::move(error));
  if (!error.detail.empty()) error.detail += "; ";
  error.detail += "from " + origin->second.where;
  report_at(at, name, std::move(error), origin->second.kind);
}

void Draft::report_at(Position at, std::string name, Error error, Origin::Kind by) {
  problems_.push_back(
      {at.line, at.column, std::move(name), std::move(error), by == Origin::Kind::kFlag});
}

Position Draft::place_of(const std::string& name) const {
  if (const auto found = places_.find(name); found != places_.end()) return found->second;
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos) return {};
  const auto section = places_.find(name.substr(0, dot));
  return section == places_.end() ? Position{} : section->second;
}

Problems Draft::take_problems() {
  const auto place = [](const Problem& problem) {
    const uint32_t line = problem.line == 0 ? std::numeric_limits<uint32_t>::max() : problem.line;
    return std::pair(line, problem.column);
  };
  // An index breaks ties: std::stable_sort of libstdc++ 12 does not compile without a warning.
  std::vector<size_t> order(problems_.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, [&](size_t a, size_t b) {
    return std::pair(place(problems_[a]), a) < std::pair(place(problems_[b]), b);
  });
  Problems sorted;
  for (const size_t i : order) sorted.push_back(std::move(problems_[i]));
  problems_.clear();
  return sorted;
}

}  // namespace fairlead::config
