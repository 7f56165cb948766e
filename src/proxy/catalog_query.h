// How a database is asked for its functions, and for the relations that only the primary can answer
// for, and what the rows mean. Pure; catalog_loader.h does the asking.
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
/// 3245 itself; at about 300 bytes each in transit this bounds a load to 75 MB. catalog_query.cc
/// repeats it in SQL.
inline constexpr size_t kFunctionsMax = 250'000;

/// So does one with more relations of the primary's than this; repeated in SQL, too.
inline constexpr size_t kPrimaryRelationsMax = 100'000;

/// One row that differs whenever a function was created, replaced, altered, renamed or dropped: how
/// many there are, the highest oid, and a sum of hashes over who wrote each row last; and two such
/// sums for the relations. 1.6 ms on the server for 3245 functions. It does not see a change of
/// pg_language or pg_depend alone (ALTER EXTENSION ... ADD FUNCTION), nor operators and casts,
/// which the catalog does not hold.
extern const std::string_view kCatalogMarkSql;

/// The mark, the functions, the relations. The mark is read first, by a snapshot of its own: what
/// changes in between is in the rows already, and the next poll finds another mark and loads again.
std::string catalog_sql();
/// The parts of it behind the mark, for who gets the rows of one statement at a time.
extern const std::string_view kFunctionsSql;
extern const std::string_view kPrimaryRelationsSql;

using CatalogMark = std::string;

struct LoadedCatalog {
  CatalogMark mark;
  std::shared_ptr<const sql::FunctionCatalog> functions;
};

/// Errors: kProtocolViolation, kLimitExceeded (kFunctionsMax).
Result<CatalogMark> read_mark(std::span<const Row> rows);
Result<LoadedCatalog> read_catalog(std::span<const Row> rows, uint64_t generation);

}  // namespace fairlead::proxy
