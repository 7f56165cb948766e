#include "proxy/catalog_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace fairlead::proxy {

std::string catalog_sql() {
  // Compiling the questions costs more than answering them.
  return fmt::format(
      "SET jit = off; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}; {}; {}; COMMIT",
      kCatalogMarkSql, kFunctionsSql, kDependenciesSql);
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

constexpr size_t kMarkColumns = 17;
constexpr size_t kFunctionColumns = 8;
constexpr size_t kDependencyColumns = 5;

std::optional<uint32_t> read_oid(std::string_view text) {
  uint32_t oid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), oid);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return oid;
}

/// The row's views point into `row`.
Result<sql::FunctionRow> read_function(const Row& row) {
  constexpr size_t kExtension = 4;  // These two may be NULL.
  constexpr size_t kSource = 7;
  for (size_t i = 0; i < kFunctionColumns; ++i)
    if (i != kExtension && i != kSource && (!row[i] || row[i]->empty()))
      return unexpected_rows("row");
  const auto oid = read_oid(*row[6]);
  if (!oid) return unexpected_rows("oid");
  sql::FunctionRow function;
  function.name = *row[0];
  function.volatility = row[1]->front();
  function.language = *row[2];
  function.is_builtin = *row[3] == "t";
  if (row[kExtension]) function.extension = *row[kExtension];
  function.is_procedure = *row[5] == "t";
  function.oid = *oid;
  if (row[kSource]) function.source = *row[kSource];
  return function;
}

std::optional<sql::DependencyKind> read_kind(std::string_view letter) {
  using enum sql::DependencyKind;
  for (const sql::DependencyKind kind :
       {kReplicaLacks, kForeignTable, kView, kPolicy, kParent, kDefaults, kOperator, kCast, kType,
        kDomain, kOperatorClass, kTable, kTrigger, kForeignKey, kRule, kWriteExpression})
    if (letter.size() == 1 && letter[0] == static_cast<char>(kind)) return kind;
  return std::nullopt;
}

// Numbers with a space between; NULL is none.
bool read_oids(const std::optional<std::string>& list, std::vector<uint32_t>& oids) {
  std::string_view left = list ? std::string_view(*list) : std::string_view{};
  while (!left.empty()) {
    const size_t end = std::min(left.find(' '), left.size());
    const auto oid = read_oid(left.substr(0, end));
    if (!oid) return false;
    oids.push_back(*oid);
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return true;
}

/// The name points into `row`.
Result<sql::DependencyRow> read_dependency(const Row& row) {
  if (!row[0] || !row[1] || !row[2]) return unexpected_rows("dependency");
  const auto kind = read_kind(*row[0]);
  const auto oid = read_oid(*row[1]);
  sql::DependencyRow dependency;
  if (!kind || !oid || !read_oids(row[3], dependency.functions) ||
      !read_oids(row[4], dependency.relations))
    return unexpected_rows("dependency");
  dependency.kind = *kind;
  dependency.oid = *oid;
  dependency.name = *row[2];
  return dependency;
}

}  // namespace

Result<CatalogMark> read_mark(std::span<const Row> rows) {
  if (rows.empty() || rows[0].size() != kMarkColumns) return unexpected_rows("mark");
  CatalogMark mark;
  for (const auto& field : rows[0]) mark += field.value_or("") + "/";
  return mark;
}

Result<LoadedCatalog> read_catalog(std::span<const Row> rows, uint64_t generation, Time as_of,
                                   const sql::RoutingLists& lists) {
  auto mark = read_mark(rows);
  if (!mark) return std::unexpected(mark.error());
  rows = rows.subspan(1);
  if (rows.size() > kFunctionsMax + kDependenciesMax) return too_many("functions", kFunctionsMax);
  std::vector<sql::FunctionRow> functions;
  std::vector<sql::DependencyRow> dependencies;
  functions.reserve(rows.size());
  for (const Row& row : rows) {
    if (row.size() == kDependencyColumns) {
      auto dependency = read_dependency(row);
      if (!dependency) return std::unexpected(dependency.error());
      dependencies.push_back(std::move(*dependency));
    } else if (row.size() == kFunctionColumns) {
      const auto function = read_function(row);
      if (!function) return std::unexpected(function.error());
      functions.push_back(*function);
    } else {
      return unexpected_rows("row");
    }
  }
  if (functions.empty()) return unexpected_rows("list");
  if (functions.size() > kFunctionsMax) return too_many("functions", kFunctionsMax);
  if (dependencies.size() > kDependenciesMax)
    return too_many("views, sequences and other objects to follow", kDependenciesMax);
  return LoadedCatalog{std::move(*mark), sql::FunctionCatalog::build(functions, generation,
                                                                     dependencies, as_of, lists)};
}

}  // namespace fairlead::proxy
