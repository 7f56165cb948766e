#include "sql/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/ascii.h"
#include "sql/guc_values.h"

namespace fairlead::sql {
namespace {

constexpr std::string_view kPrefix = "fairlead.";

// Levenshtein's distance.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

std::string_view nearest_setting(std::string_view name) {
  constexpr size_t kNameBytesMax = 64;  // A longer name is no slip of a finger.
  if (name.size() > kNameBytesMax) return kSettingNames.front();
  return *std::ranges::min_element(kSettingNames, {},
                                   [&](std::string_view known) { return distance(name, known); });
}

std::unexpected<Error> bad_value(std::string_view name, std::string_view value,
                                 std::string_view expected) {
  constexpr size_t kShownMax = 100;
  return fail(
      ErrorCode::kInvalidParameterValue,
      fmt::format("invalid value for parameter \"{}\": \"{}\"", name, value.substr(0, kShownMax)),
      {}, fmt::format("Expected {}.", expected));
}

template <class T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// host:port, [address]:port. The host is compared with the names of configured nodes later.
bool is_node_name(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  std::string_view host = text.substr(0, colon);
  const auto port = parse_whole<uint16_t>(text.substr(colon + 1));
  if (!port || *port == 0) return false;
  if (host.front() == '[') {
    if (host.size() < 4 || host.back() != ']') return false;
    host = host.substr(1, host.size() - 2);
    return host.find_first_not_of("0123456789abcdefABCDEF:.%") == std::string_view::npos;
  }
  return std::ranges::all_of(
      host, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_'; });
}

Result<Setting> read_route(std::string_view name, std::string_view value) {
  const std::string word = lower(value);
  if (word == "auto") return Route{Route::Kind::kAuto};
  if (word == "primary") return Route{Route::Kind::kPrimary};
  if (word == "replica") return Route{Route::Kind::kReplica};
  if (is_node_name(value)) return Route{Route::Kind::kNode, std::string(value)};
  return bad_value(name, value, "auto, primary, replica or the host:port of a node");
}

Result<Setting> read_consistency(std::string_view name, std::string_view value) {
  const std::string word = lower(value);
  for (const ReadConsistency level : {ReadConsistency::kEventual, ReadConsistency::kSession,
                                      ReadConsistency::kApp, ReadConsistency::kStrict})
    if (word == consistency_name(level)) return level;
  return bad_value(name, value, "eventual, session, app or strict");
}

Result<Setting> read_floor(std::string_view name, std::string_view value) {
  FloorToken token;
  if (value.empty()) return token;
  std::string_view rest = value;
  const auto front = [&rest] {  // Up to the next colon, which is taken away.
    const size_t colon = rest.find(':');
    const std::string_view part = rest.substr(0, colon);
    rest.remove_prefix(colon + 1);
    return part;
  };
  const auto colons = std::ranges::count(value, ':');
  bool good = colons <= 2;
  if (good && colons == 2)
    good = (token.system_identifier = parse_whole<uint64_t>(front())).has_value();
  if (good && colons >= 1) good = (token.timeline = parse_whole<uint32_t>(front())).has_value();
  const auto lsn = good ? Lsn::parse(rest) : std::nullopt;
  if (!lsn || token.timeline == 0u)
    return bad_value(name, value,
                     "X/Y, timeline:X/Y or system_identifier:timeline:X/Y, as SHOW fairlead.token "
                     "prints it");
  token.lsn = *lsn;
  return token;
}

struct TimeUnit {
  std::string_view name;
  int64_t microseconds;
};
constexpr std::array<TimeUnit, 7> kUnits{{{"us", 1},
                                          {"ms", 1000},
                                          {"", 1000},
                                          {"s", 1'000'000},
                                          {"min", 60'000'000},
                                          {"h", 3'600'000'000},
                                          {"d", 86'400'000'000}}};

Result<Setting> read_max_lag(std::string_view name, std::string_view value) {
  constexpr int64_t kMost = 365 * 86'400'000'000LL;  // A year: what is more is a slip.
  const size_t digits = std::min(value.find_first_not_of("0123456789"), value.size());
  const auto number = parse_whole<int64_t>(value.substr(0, digits));
  std::string_view unit = value.substr(digits);
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const TimeUnit& known : kUnits)
    if (number && known.name == unit && *number <= kMost / known.microseconds)
      return Duration(*number * known.microseconds);
  return bad_value(name, value, "a duration such as 500ms, 10s or 2min");
}

Result<Setting> read_tags(std::string_view name, std::string_view value) {
  const bool printable = std::ranges::none_of(
      value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (value.size() <= kTagsBytesMax && printable) return Tags{std::string(value)};
  return bad_value(name, value,
                   fmt::format("at most {} bytes without control characters", kTagsBytesMax));
}

Result<Setting> read_transaction_reads(std::string_view name, std::string_view value) {
  const std::string word = lower(value);
  if (word == "primary") return TransactionReads::kPrimary;
  if (word == "until_write") return TransactionReads::kUntilWrite;
  return bad_value(name, value, "primary or until_write");
}

Result<Setting> read_explain(std::string_view name, std::string_view value) {
  if (const auto on = parse_guc_boolean(value)) return Explain{*on};
  return bad_value(name, value, "on or off");
}

}  // namespace

std::string_view consistency_name(ReadConsistency consistency) {
  switch (consistency) {
    case ReadConsistency::kEventual:
      return "eventual";
    case ReadConsistency::kSession:
      return "session";
    case ReadConsistency::kApp:
      return "app";
    case ReadConsistency::kStrict:
      return "strict";
  }
  return "app";
}

bool is_fairlead_setting(std::string_view name) {
  return name.size() >= kPrefix.size() && lower(name.substr(0, kPrefix.size())) == kPrefix;
}

Result<Setting> read_setting(std::string_view name, std::string_view value) {
  const std::string known = lower(name);
  if (known == "fairlead.route") return read_route(known, value);
  if (known == "fairlead.consistency") return read_consistency(known, value);
  if (known == "fairlead.min_lsn") return read_floor(known, value);
  if (known == "fairlead.max_lag") return read_max_lag(known, value);
  if (known == "fairlead.tags") return read_tags(known, value);
  if (known == "fairlead.explain") return read_explain(known, value);
  if (known == "fairlead.transaction_reads") return read_transaction_reads(known, value);
  return fail(ErrorCode::kUndefinedObject,
              fmt::format("unrecognized configuration parameter \"{}\"", name.substr(0, 100)), {},
              fmt::format("Perhaps you meant \"{}\".", nearest_setting(known)));
}

}  // namespace fairlead::sql
