// Listing and reading tables.
#include "cluster/table_sums.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/subprocess.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kTables = R"sql(
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' AND c.relispopulated
   AND ((n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', {}))
        OR c.oid = 'pg_catalog.pg_largeobject'::regclass)
 ORDER BY 1, 2)sql";

Result<TableSum> sum_of(const SqlRows& answer) {
  TableSum sum;
  if (answer.rows.size() != 1 || answer.columns.size() != 4)
    return fail(ErrorCode::kInternal, "the answer is not a count, a checksum and an identity");
  const std::vector<Cell>& row = answer.rows.front();
  sum.rows = number_of<uint64_t>(row[0]).value_or(0);
  sum.checksum = row[1].value_or("");
  sum.identity = identity_of(row, 2);
  return sum;
}

}  // namespace

std::string quoted(const SqlConnection& sql, const TableName& table) {
  return sql.identifier(table.schema) + "." + sql.identifier(table.name);
}

bool is_gone(const SqlConnection& sql) {
  constexpr std::string_view kNoSuchTable = "42P01";
  constexpr std::string_view kNoSuchSchema = "3F000";
  return sql.sqlstate() == kNoSuchTable || sql.sqlstate() == kNoSuchSchema;
}

Result<std::vector<TableName>> list_tables(SqlConnection& sql, const std::string& without_schema) {
  auto found = sql.query(fmt::format(kTables, sql.literal(without_schema)));
  if (!found) return std::unexpected(found.error());
  std::vector<TableName> tables;
  for (const auto& row : found->rows) tables.push_back({row[0].value_or(""), row[1].value_or("")});
  return tables;
}

Result<void> prepare_for_sums(SqlConnection& sql) {
  // The server ends our statement soon after we are gone (from 14 on; 13 does when it answers).
  const bool notices = sql.version() >= 140000;
  return done_or_error(sql.query(fmt::format(
      "SET search_path = ''; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601';"
      "SET timezone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = 'hex';"
      "SET xmloption = 'content'; SET lc_monetary = 'C'; SET row_security = off;"
      "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;"
      "SET synchronous_commit = 'local'{}",
      notices ? "; SET client_connection_check_interval = '5s'" : "")));
}

std::string sum_query(const SqlConnection& sql, const TableName& table) {
  // (t.*)::text is the row even where a column is named t. ONLY: children are tables of their own.
  return fmt::format(
      "SELECT count(*), coalesce(sum(hashtextextended((t.*)::text COLLATE \"C\", 0)), 0), {}"
      " FROM ONLY {} AS t",
      identity_columns(sql, table), quoted(sql, table));
}

std::string identity_columns(const SqlConnection& sql, const TableName& table) {
  return fmt::format("{0}::regclass::oid, pg_relation_filenode({0}::regclass)",
                     sql.literal(quoted(sql, table)));
}

TableIdentity identity_of(const std::vector<Cell>& row, size_t column) {
  return {number_of<uint32_t>(row.at(column)).value_or(0),
          number_of<uint32_t>(row.at(column + 1)).value_or(0)};
}

TableSums read_sums(SqlConnection& sql, const std::vector<TableName>& tables,
                    Clock::time_point deadline) {
  TableSums sums;
  // A table that cannot be read must not end the transaction, and the snapshot with it.
  auto last = sql.query("SAVEPOINT sums");
  for (const TableName& table : tables) {
    if (sql.works()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
      last = sql.query("ROLLBACK TO SAVEPOINT sums; " + sum_query(sql, table),
                       std::max(left, std::chrono::milliseconds(1)));
    }
    if (last)
      sums.emplace(table, sum_of(*last));
    else if (!is_gone(sql))
      sums.emplace(table, std::unexpected(last.error()));
  }
  return sums;
}

}  // namespace fairlead::cluster
