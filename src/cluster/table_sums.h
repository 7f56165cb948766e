// What a table holds, in two numbers: how many rows, and a checksum over them that does not depend
// on their order. The server computes both while it reads the table once, so neither its memory nor
// ours grows with the table.
//
// Pure but for what takes a connection.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "cluster/sql_connection.h"

namespace fairlead::cluster {

struct TableName {
  std::string schema;
  std::string name;

  auto operator<=>(const TableName&) const = default;
  /// "public.users", for people.
  std::string text() const { return schema + "." + name; }
};

/// Which table of a name it is: another one once it is dropped and made again (oid), or emptied or
/// written anew as a whole (file). The same on every node.
struct TableIdentity {
  uint32_t oid = 0;
  uint32_t file = 0;

  bool operator==(const TableIdentity&) const = default;
};

struct TableSum {
  uint64_t rows = 0;
  std::string checksum;  // A sum of 64-bit hashes, as a decimal number.
  TableIdentity identity = {};

  bool holds_the_same_as(const TableSum& other) const {
    return rows == other.rows && checksum == other.checksum;
  }
};

/// What one node has in one database. A table that does not exist there has no entry; an Error says
/// why a table could not be read.
using TableSums = std::map<TableName, Result<TableSum>>;

/// The tables and materialized views whose rows reach replicas: no temporary, unlogged or foreign
/// ones, no catalogs but the one that holds large objects, nothing in `without_schema`. Sequences
/// neither: a replica is allowed to be ahead in them.
Result<std::vector<TableName>> list_tables(SqlConnection& sql, const std::string& without_schema);

/// "public"."users", for SQL.
std::string quoted(const SqlConnection& sql, const TableName& table);

/// Whether the last query failed because the table that it names does not exist, or its schema.
bool is_gone(const SqlConnection& sql);

/// The texts of values must not depend on the session that reads them.
Result<void> prepare_for_sums(SqlConnection& sql);

/// In an open transaction that has a snapshot; all tables are read as of that. `deadline` is for
/// them all; tables that it or the end of the connection leaves out have its Error.
TableSums read_sums(SqlConnection& sql, const std::vector<TableName>& tables,
                    std::chrono::steady_clock::time_point deadline);

/// The query for one table.
std::string sum_query(const SqlConnection& sql, const TableName& table);

/// The two columns of a TableIdentity, and what a row has from `column` on.
std::string identity_columns(const SqlConnection& sql, const TableName& table);
TableIdentity identity_of(const std::vector<Cell>& row, size_t column);

}  // namespace fairlead::cluster
