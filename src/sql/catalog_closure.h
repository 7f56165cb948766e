// What a database's relations, operators, casts and types lead to, at any depth: the closure that
// A41 and A45 ask for, computed once for each catalog. Pure.
//
// Functions are known by oid here, exactly as PostgreSQL resolved them in a view or a policy; the
// result is by name, because that is all that a text has (A40).
//
// Followed: views, policies, partitions and inheritance, operators, casts, types, domains, operator
// classes, defaults of arguments. Not followed, because a read does not evaluate them, or only
// after the planner has seen IMMUTABLE on every function in them: defaults of columns, generated
// columns, CHECKs of tables, expressions and predicates of indexes, extended statistics, keys of
// partitions. Nor what only a superuser can make, in C, and which no statement reaches but through
// something that is followed: subscripting and ANALYZE functions of types, support functions of the
// planner, transforms, conversions of encodings, text search templates.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sql/catalog_rows.h"
#include "sql/reason.h"

namespace fairlead::sql {

struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

/// Something that may be called by a statement which names nothing of it: an implicit cast, the
/// input or output of a type (a parameter's, too), a domain's CHECK, the order of ORDER BY. Which
/// statements it concerns would take types to tell, so it concerns all of the database (G1). Such
/// objects are rare: all that PostgreSQL and the reviewed extensions bring are harmless.
struct ImplicitCall {
  Reason reason = Reason::kRead;  // kRead: there is none.
  std::string object =
      {};  // The first that was found: "from text to money", "box3d of extension x".
};

/// Why only the primary may answer, by name over all schemas. What is not in it is a read.
using ReasonsByName = std::unordered_map<std::string, Reason, NameHash, std::equal_to<>>;

struct CatalogClosure {
  ReasonsByName relations;
  ReasonsByName operators;
  ReasonsByName functions;  // Those with unsafe defaults of arguments.
  ImplicitCall implicit;
};

/// A function that has no row is unsafe: it is newer than the rows (A42).
CatalogClosure close_over(std::span<const FunctionRow> functions,
                          std::span<const DependencyRow> dependencies,
                          const RoutingLists& lists = {});

}  // namespace fairlead::sql
