// What two nodes' sums of the same tables say about them. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/table_sums.h"

namespace fairlead::cluster {

struct Difference {
  enum class What : uint8_t {
    kRows,        // Another number of rows than on the primary.
    kContent,     // As many rows, and other values in them.
    kMissing,     // On the primary, not on the node.
    kExtra,       // On the node, not on the primary.
    kUnreadable,  // The node's data is damaged: the server itself says so.
    kUndecided,   // Nobody knows: the detail says why.
  };
  std::string database;
  TableName table;
  What what = What::kUndecided;
  std::optional<uint64_t> primary_rows;
  std::optional<uint64_t> rows;
  std::string detail = {};
  uint32_t oid = 0;  // Of kMissing and kExtra: which table it is, where it is there.

  bool operator==(const Difference&) const = default;
};

std::string_view to_string(Difference::What what);

/// "app.public.users: 4999 rows, the primary has 5000".
std::string describe(const Difference& difference);

/// A node against the primary. Nothing: they are equal in all tables that either has.
std::vector<Difference> differences(const std::string& database, const TableSums& primary,
                                    const TableSums& node);

/// What the primary itself cannot read.
std::vector<Difference> unreadable(const std::string& database, const TableSums& primary);

}  // namespace fairlead::cluster
