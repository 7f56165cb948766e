// What a server was told in synchronous_standby_names, by whomever: the file says what its commits
// waited for. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cluster/sync_rule.h"

namespace fairlead::cluster {

struct StandbyList {
  SyncRule rule;                   // Off when the setting is empty.
  std::vector<std::string> names;  // In the order of the setting, in small letters.
  bool everyone = false;           // "*" stands among them.

  /// Whether a standby of that name is one of them; names are compared without regard to case.
  bool lists(std::string_view name) const;
  bool operator==(const StandbyList&) const = default;
};

/// All forms of PostgreSQL 13 to 18 (syncrep_gram.y): "a, b", "2 (a, b)", "FIRST 2 (a, b)",
/// "ANY 1 (a, \"b\")", "*".
Result<StandbyList> parse_standby_names(std::string_view setting);

}  // namespace fairlead::cluster
