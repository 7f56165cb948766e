// Compares one database's tables on the nodes of a cluster, while others write to them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cluster/same_moment.h"
#include "cluster/table_differences.h"

namespace fairlead::cluster {

struct TablesVerdict {
  size_t tables = 0;
  uint64_t rows = 0;                           // On the primary.
  std::vector<std::vector<Difference>> nodes;  // As SameMoment's nodes; [0] is the primary.
  std::vector<std::optional<Error>> trouble;   // Why a node was not compared, or no further.
};

struct TablesPatience {
  std::chrono::milliseconds replay;  // For a replica to reach the primary's position.
  SameMoment::Deadline deadline;     // For everything.
  bool may_hold = true;
};

/// Reads all tables at one moment, then those that differ each at a moment of its own, then with
/// its writers held up. An Error when the primary cannot be read at all.
Result<TablesVerdict> verify_tables(SameMoment& moment, const std::string& database,
                                    const TablesPatience& patience);

}  // namespace fairlead::cluster
