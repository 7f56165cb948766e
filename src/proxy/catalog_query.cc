#include "proxy/catalog_query.h"

#include <fmt/format.h>

#include <vector>

namespace fairlead::proxy {

const std::string_view kCatalogMarkSql =
    "SELECT count(*), max(oid::int8), sum(hashint8extended(xmin::text::int8, oid::int8)),"
    " (SELECT sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_class"
    "   WHERE relkind IN ('f', 'S') OR relpersistence = 'u'),"
    " (SELECT sum(hashint8extended(xmin::text::int8, oid::int8)) FROM pg_rewrite) FROM pg_proc";

// Built in is what initdb made: a function that a superuser puts into pg_catalog later has an oid
// from 16384 (FirstNormalObjectId) on and is nobody's reviewed code.
//
// An aggregate's own row says immutable and internal, whatever its support functions do, so these
// count under the aggregate's name, too (A41). PostgreSQL's own aggregates have harmless ones.
const std::string_view kFunctionsSql = R"(
WITH function AS (
  SELECT p.oid, p.proname, p.provolatile, l.lanname, e.extname, p.prokind,
         n.nspname = 'pg_catalog' AND p.oid < 16384 AND e.extname IS NULL AS is_builtin
    FROM pg_proc p
    JOIN pg_language l ON l.oid = p.prolang
    JOIN pg_namespace n ON n.oid = p.pronamespace
    LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                         AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = d.refobjid)
(SELECT proname, provolatile, lanname, is_builtin, extname, prokind = 'p' FROM function
 UNION ALL
 SELECT a.proname, s.provolatile, s.lanname, s.is_builtin, s.extname, false
   FROM pg_aggregate g
   JOIN pg_proc a ON a.oid = g.aggfnoid AND a.oid >= 16384
   JOIN function s ON s.oid IN (g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn,
                                g.aggdeserialfn, g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn))
LIMIT 250001)";

// A partitioned table is as its partitions are, and a view as what it reads, at any depth. So a
// view that calls nextval() is one of its sequence.
const std::string_view kPrimaryRelationsSql = R"(
WITH RECURSIVE edge AS (
  SELECT inhrelid AS below, inhparent AS above FROM pg_inherits
  UNION ALL
  SELECT d.refobjid, r.ev_class
    FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                    AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class),
primary_relation(oid) AS (
  SELECT oid FROM pg_class
   WHERE (relkind IN ('f', 'S') OR relpersistence = 'u' AND relkind IN ('r', 'p', 'm'))
     AND relpersistence <> 't'
  UNION
  SELECT edge.above FROM edge JOIN primary_relation ON primary_relation.oid = edge.below)
SELECT DISTINCT relname FROM pg_class JOIN primary_relation USING (oid) LIMIT 100001)";

std::string catalog_sql() {
  return fmt::format("{};{};{}", kCatalogMarkSql, kFunctionsSql, kPrimaryRelationsSql);
}

namespace {

std::unexpected<Error> unexpected_rows(std::string_view what) {
  return fail(ErrorCode::kProtocolViolation,
              fmt::format("the {} of the function catalog is not as asked", what));
}

std::unexpected<Error> too_many(std::string_view what, size_t most) {
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("the database has more than {} {}", most, what),
              "no part of such a catalog is used");
}

constexpr size_t kMarkColumns = 5;

/// The row's views point into `row`.
Result<sql::FunctionRow> read_function(const Row& row) {
  constexpr size_t kColumns = 6;
  constexpr size_t kExtension = 4;  // The only one that may be NULL.
  if (row.size() != kColumns) return unexpected_rows("row");
  for (size_t i = 0; i < kColumns; ++i)
    if (i != kExtension && (!row[i] || row[i]->empty())) return unexpected_rows("row");
  sql::FunctionRow function;
  function.name = *row[0];
  function.volatility = row[1]->front();
  function.language = *row[2];
  function.is_builtin = *row[3] == "t";
  if (row[kExtension]) function.extension = *row[kExtension];
  function.is_procedure = *row[5] == "t";
  return function;
}

}  // namespace

Result<CatalogMark> read_mark(std::span<const Row> rows) {
  if (rows.empty() || rows[0].size() != kMarkColumns) return unexpected_rows("mark");
  CatalogMark mark;
  for (const auto& field : rows[0]) mark += field.value_or("") + "/";
  return mark;
}

Result<LoadedCatalog> read_catalog(std::span<const Row> rows, uint64_t generation) {
  auto mark = read_mark(rows);
  if (!mark) return std::unexpected(mark.error());
  rows = rows.subspan(1);
  if (rows.size() > kFunctionsMax + kPrimaryRelationsMax)
    return too_many("functions", kFunctionsMax);
  std::vector<sql::FunctionRow> functions;
  std::vector<std::string_view> relations;
  functions.reserve(rows.size());
  for (const Row& row : rows) {
    if (row.size() == 1 && row[0]) {
      relations.push_back(*row[0]);
      continue;
    }
    auto function = read_function(row);
    if (!function) return std::unexpected(function.error());
    functions.push_back(*function);
  }
  if (functions.empty()) return unexpected_rows("list");
  if (functions.size() > kFunctionsMax) return too_many("functions", kFunctionsMax);
  if (relations.size() > kPrimaryRelationsMax)
    return too_many("relations of the primary's", kPrimaryRelationsMax);
  return LoadedCatalog{std::move(*mark),
                       sql::FunctionCatalog::build(functions, generation, relations)};
}

}  // namespace fairlead::proxy
