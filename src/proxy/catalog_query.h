// How a database is asked for its functions, and for whatever else calls functions or lies on the
// primary only, and what the rows mean. Pure; catalog_loader.h does the asking, catalog_sql.cc has
// the questions.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "proxy/conversation.h"
#include "sql/functions.h"

namespace fairlead::proxy {

/// A database with more functions than this gets no catalog, and all of its calls go to the
/// primary: half of a catalog would call a name safe whose other half writes. PostgreSQL 15 has
/// 3245 itself; at about 300 bytes each in transit, and 32 MiB of sources, this bounds a load to
/// 110 MB. catalog_sql.cc repeats it in SQL.
inline constexpr size_t kFunctionsMax = 250'000;

/// So does one with more tables, views, policies, sequences, operators, casts and types of its own
/// than this; repeated in SQL, too.
inline constexpr size_t kDependenciesMax = 250'000;

/// One row that differs whenever something was created, replaced, altered, renamed or dropped that
/// the catalog depends on (A42).
extern const std::string_view kCatalogMarkSql;

/// The mark, the functions, the dependencies, all of one snapshot: with a mark of before or after,
/// an object that came and went in between would be in the rows, and nothing in any later mark.
std::string catalog_sql();
/// The parts of it behind the mark, for who gets the rows of one statement at a time.
extern const std::string_view kFunctionsSql;
extern const std::string_view kDependenciesSql;

using CatalogMark = std::string;

struct LoadedCatalog {
  CatalogMark mark;
  std::shared_ptr<const sql::FunctionCatalog> functions;
};

/// Errors: kProtocolViolation, kLimitExceeded (kFunctionsMax, kDependenciesMax).
Result<CatalogMark> read_mark(std::span<const Row> rows);
Result<LoadedCatalog> read_catalog(std::span<const Row> rows, uint64_t generation, Time as_of = {},
                                   const sql::RoutingLists& lists = {});

}  // namespace fairlead::proxy
