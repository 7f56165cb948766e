// What a database is asked about itself, row by row, and what one function's row says about it.
// Pure data; catalog_closure.h puts the rows together.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sql/routing_lists.h"

namespace fairlead::sql {

/// Below it stands what initdb made (FirstNormalObjectId of PostgreSQL's transam.h).
inline constexpr uint32_t kFirstUserOid = 16384;

/// One row of pg_proc, joined with pg_language and, where there is one, pg_extension. Several rows
/// of one oid are an aggregate and the functions behind it: the worst of them counts.
struct FunctionRow {
  std::string_view name;  // proname, as stored.
  char volatility = 'v';  // provolatile: i, s or v.
  std::string_view language;
  bool is_builtin = false;          // In pg_catalog and not of an extension.
  std::string_view extension = {};  // Empty: not part of one.
  bool is_procedure =
      false;  // prokind p: only CALL runs it, so it says nothing about a function of that name.
  uint32_t oid = 0;
  std::string_view source = {};  // prosrc of SQL and PL/pgSQL; empty where it was not asked for.
};

enum class FunctionVerdict : uint8_t {
  kUnknown,    // No function of this name (yet): it may have been created a moment ago (A42).
  kSafe,       // Every function of this name may run on a replica.
  kVolatile,   // At least one may write.
  kUntrusted,  // At least one is in a language whose label proves nothing (A46).
  kListed,     // The operator wants calls of this name on the primary (A56).
};

/// Whether what is said of its functions in C is believed (A46).
bool is_trusted_extension(std::string_view extension, const RoutingLists& lists);

FunctionVerdict verdict_of(const FunctionRow& row, const RoutingLists& lists = {});

/// What calls functions, or reads relations, without the statement naming them (A41, A45). The
/// letter stands in the query's first column.
enum class DependencyKind : char {
  kReplicaLacks = 'x',   // Unlogged, or a sequence: calls nothing, and is the primary's.
  kForeignTable = 'r',   // The primary's, unless the operator says otherwise (A54).
  kView = 'v',           // Not materialized: what such a view shows was computed before.
  kPolicy = 'p',         // Row security, as far as reads go.
  kParent = 'i',         // Of partitions or inheriting tables.
  kDefaults = 'f',       // Of a function's arguments: evaluated by a call that leaves them out.
  kOperator = 'o',       // With its estimators, and those of its commutator and negator.
  kCast = 'c',           // From here on the text need not name what calls.
  kType = 't',           // Input, output, typmod, and a range's functions.
  kDomain = 'd',         // A CHECK.
  kOperatorClass = 'a',  // Support functions and operators: ORDER BY, GROUP BY, indexes.
  // For the tables that a statement touches (table_closure.h).
  kTable = 'n',       // Or a view, whatever it reads.
  kTrigger = 'g',     // Not one of PostgreSQL's own.
  kForeignKey = 'k',  // Of the referenced table, where an action changes those that refer to it.
  kRule = 'w',  // For INSERT, UPDATE, DELETE; a materialized view's query, which REFRESH runs.
  kWriteExpression = 'e',  // Defaults of columns, CHECKs, indexes, policies for writes.
};

struct DependencyRow {
  DependencyKind kind = DependencyKind::kView;
  uint32_t oid = 0;       // Of the relation, or of kDefaults' function; of others 0.
  std::string_view name;  // Of the same; an operator's; of kCast and the next a phrase for people.
  std::vector<uint32_t> functions = {};
  std::vector<uint32_t> relations = {};
};

}  // namespace fairlead::sql
