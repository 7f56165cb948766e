// What changed between two configurations: for the log of a reload, and to know what it cannot do.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/keys.h"

namespace fairlead::config {

/// One value that differs, or a cluster or database that was added or removed.
struct Change {
  std::string key;        // Full name; `cluster.b` for a whole section.
  std::string old_value;  // As TOML, a secret masked; empty: the section was added.
  std::string new_value;  // The same; empty: the section was removed.
  Apply apply = Apply::kReload;
  std::string_view restarts_with = {};  // The key that makes this one wait; empty: none.

  bool operator==(const Change&) const = default;
};

/// In the order of the reference. Where a value came from makes no difference.
std::vector<Change> diff(const Config& before, const Config& after);

/// What a reload of `after` can carry out while `before` is in force: `after`, but with every value
/// as it was that only a restart changes. Fails where the two cannot be put together: a database
/// that is to be served by a cluster that comes with the restart, or anything else that validate()
/// refuses in what would be in force.
Result<Config> without_restart(const Config& before, const Config& after);

/// "proxy.workers: 2 -> 4 (needs a restart)", in one line.
std::string to_string(const Change& change);

}  // namespace fairlead::config
