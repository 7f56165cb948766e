#include "core/topology_history.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace fairlead::core {

namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view take_word(std::string_view& line) {
  size_t from = line.find_first_not_of(kBlanks);
  if (from == std::string_view::npos) return line = {};
  line.remove_prefix(from);
  size_t length = std::min(line.find_first_of(kBlanks), line.size());
  std::string_view word = line.substr(0, length);
  line.remove_prefix(length);
  return word;
}

std::optional<TimelineSwitch> parse_line(std::string_view line) {
  std::string_view number = take_word(line);
  std::string_view position = take_word(line);
  uint32_t timeline = 0;
  auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), timeline);
  if (error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
  std::optional<Lsn> at = Lsn::parse(position);
  if (!at || timeline == 0) return std::nullopt;
  return TimelineSwitch{timeline, *at};
}

}  // namespace

Result<TimelineHistory> TimelineHistory::parse(std::string_view text) {
  TimelineHistory history;
  while (!text.empty()) {
    size_t length = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos || line[begin] == '#') continue;
    std::optional<TimelineSwitch> left = parse_line(line);
    bool rises =
        history.ancestors.empty() || (left && left->timeline > history.ancestors.back().timeline);
    if (!left || !rises)
      return fail(ErrorCode::kProtocolViolation, "the timeline history is not valid",
                  "line: " + std::string(line.substr(0, 80)));
    history.ancestors.push_back(*left);
  }
  return history;
}

std::optional<Lsn> TimelineHistory::left_at(uint32_t timeline) const {
  std::optional<Lsn> lowest;
  for (size_t i = ancestors.size(); i-- > 0;) {
    lowest = lowest ? std::min(*lowest, ancestors[i].at) : ancestors[i].at;
    if (ancestors[i].timeline == timeline) return lowest;
  }
  return std::nullopt;
}

bool contains(uint32_t current, const TimelineHistory& history, uint32_t timeline, Lsn position) {
  if (timeline == current) return true;
  std::optional<Lsn> left = history.left_at(timeline);
  return left && position <= *left;
}

}  // namespace fairlead::core
