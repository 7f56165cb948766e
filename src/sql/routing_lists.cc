#include "sql/routing_lists.h"

#include <algorithm>

namespace fairlead::sql {
namespace {

bool matches_any(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(
      patterns, [&](const std::string& pattern) { return matches_pattern(pattern, name); });
}

}  // namespace

// The last `*` takes as little as possible, and one more each time that what follows does not fit:
// an earlier one never has to be looked at again.
bool matches_pattern(std::string_view pattern, std::string_view name) {
  size_t in_pattern = 0;
  size_t in_name = 0;
  size_t behind_star = std::string_view::npos;
  size_t retry_at = 0;
  while (in_name < name.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      behind_star = ++in_pattern;
      retry_at = in_name;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == name[in_name]) {
      ++in_pattern;
      ++in_name;
    } else if (behind_star != std::string_view::npos) {
      in_pattern = behind_star;
      in_name = ++retry_at;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

bool RoutingLists::trusts_extension(std::string_view name) const {
  return std::ranges::find(trusted_extensions, name) != trusted_extensions.end();
}
bool RoutingLists::is_replica_function(std::string_view name) const {
  return matches_any(replica_functions, name);
}
bool RoutingLists::is_primary_function(std::string_view name) const {
  return matches_any(primary_functions, name);
}
bool RoutingLists::is_replica_relation(std::string_view name) const {
  return matches_any(replica_relations, name);
}
bool RoutingLists::is_primary_relation(std::string_view name) const {
  return matches_any(primary_relations, name);
}

}  // namespace fairlead::sql
