// Reading and writing rules of synchronous replication.
#include "cluster/sync_rule.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "base/ascii.h"

namespace fairlead::cluster {

namespace {

std::unexpected<Error> not_a_rule(std::string_view text) {
  return fail(ErrorCode::kInvalidParameterValue,
              fmt::format("\"{}\" is no rule of synchronous replication", text), {},
              "use \"any 1\" (a quorum), \"first 1\" (by priority) or \"off\"");
}

}  // namespace

Result<SyncRule> parse_sync_rule(std::string_view text) {
  const std::string rule = lower(text);
  if (rule == "off") return SyncRule{};
  const size_t blank = rule.find(' ');
  if (blank == std::string::npos) return not_a_rule(text);
  const std::string_view method = std::string_view(rule).substr(0, blank);
  std::string_view number = std::string_view(rule).substr(blank);
  number.remove_prefix(std::min(number.find_first_not_of(' '), number.size()));
  SyncRule out;
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), out.count);
  if (error != std::errc() || end != number.data() + number.size() || out.count == 0)
    return not_a_rule(text);
  if (method != "any" && method != "first") return not_a_rule(text);
  out.method = method == "any" ? SyncRule::Method::kAny : SyncRule::Method::kFirst;
  return out;
}

std::string to_string(const SyncRule& rule) {
  if (!rule.is_on()) return "off";
  return fmt::format("{} {}", rule.method == SyncRule::Method::kAny ? "any" : "first", rule.count);
}

std::string standby_names(const SyncRule& rule, const std::vector<std::string>& nodes) {
  if (!rule.is_on() || nodes.empty()) return {};
  return fmt::format("{} {} (\"{}\")", rule.method == SyncRule::Method::kAny ? "ANY" : "FIRST",
                     rule.count, fmt::join(nodes, "\", \""));
}

}  // namespace fairlead::cluster
