// What one database knows about its functions and about whatever else calls functions; and the
// verdict over a text that names them.
//
// Everything is decided by name alone, over all schemas and overloads (A40): exact resolution would
// need argument types and the client's search_path. Labels are believed as far as A43 and A46
// allow, and what the operator says comes before them (A56). What stands behind a name, at any
// depth, is catalog_closure.h's (A41, A45).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"
#include "sql/catalog_closure.h"
#include "sql/catalog_rows.h"
#include "sql/facts.h"
#include "sql/session_closure.h"
#include "sql/table_closure.h"

namespace fairlead::sql {

/// An immutable snapshot of one database. Share it as shared_ptr<const FunctionCatalog>; every
/// thread may read it.
class FunctionCatalog {
 public:
  /// `generation` must differ between any two snapshots that one ShapeCache meets; 0 is reserved.
  static std::shared_ptr<const FunctionCatalog> build(
      std::span<const FunctionRow> rows, uint64_t generation,
      std::span<const DependencyRow> dependencies = {}, Time as_of = {}, RoutingLists lists = {});

  /// In place of a catalog that is not known, or not since the last DDL (A42): a text that names
  /// anything is no read until then (G1). Its generation is never another's.
  static std::shared_ptr<const FunctionCatalog> not_loaded();
  bool is_loaded() const { return generation_ != kNotLoaded; }

  FunctionVerdict verdict(std::string_view name) const;
  /// For attribute notation, which may mean a function of PostgreSQL's own, too, because PostgreSQL
  /// asks for no row: (42).pg_advisory_lock. No function at all is a plain column, which is safe.
  FunctionVerdict attribute_verdict(std::string_view name) const;
  /// Why only the primary may answer for a relation of this name: it does not exist on replicas, or
  /// reading it calls what is not safe, or nobody knows what it is. kRead: anybody may.
  Reason relation_reason(std::string_view name) const;
  /// Over all schemas and operands; kRead where it is safe.
  Reason operator_reason(std::string_view name) const;
  bool is_unsafe_operator(std::string_view name) const { return closure_.operators.contains(name); }
  /// What concerns every statement of the database.
  const ImplicitCall& implicit_call() const { return closure_.implicit; }
  /// Whether the statement calls what may change the session beyond its transaction (C4): a
  /// function that no row tells of may, too.
  bool may_change_session(const QueryFacts& facts) const;
  /// Whether it may ask for currval() or lastval() without saying so (C18).
  bool may_ask_for_sequence(const QueryFacts& facts) const { return sequences_.concerns(facts); }
  /// Whether any statement may.
  bool may_ask_for_sequences() const { return !sequences_.empty(); }
  /// What relations a read or a write of a name concerns.
  const TableClosure& tables() const { return tables_; }
  /// Whether the statement calls what could touch any table, so that tables() says too little.
  bool may_touch_any_table(const QueryFacts& facts) const;
  uint64_t generation() const { return generation_; }
  /// When the database was asked for it, by the loops' clock; DDL from then on may be missing.
  Time as_of() const { return as_of_; }
  size_t size() const { return by_name_.size(); }

 private:
  static constexpr uint64_t kNotLoaded = UINT64_MAX;

  struct Verdicts {
    FunctionVerdict call = FunctionVerdict::kSafe;
    FunctionVerdict attribute = FunctionVerdict::kSafe;
    bool touches_no_table = true;
    bool attribute_touches_no_table = true;
  };

  FunctionCatalog(std::span<const FunctionRow> rows, uint64_t generation,
                  std::span<const DependencyRow> dependencies, Time as_of, RoutingLists lists);

  const RoutingLists lists_;
  std::unordered_map<std::string, Verdicts, NameHash, std::equal_to<>> by_name_;
  CatalogClosure closure_;
  TableClosure tables_;
  SessionClosure session_;
  SessionClosure sequences_;
  uint64_t generation_;
  Time as_of_;
};

struct Decision {
  Access access = Access::kPrimary;
  Reason reason = Reason::kCatalogLoading;
  bool may_write =
      true;  // False: even on the primary the statement is known to change nothing (D11).
  bool opaque = false;        // What it calls may change what the session keeps, unseen (C4).
  bool primary_only = false;  // Also in a READ ONLY transaction, where any other may leave it (B3).
  bool asks_for_sequence = false;  // What it calls may ask for currval() or lastval() (C18).

  bool operator==(const Decision&) const = default;
};

/// The facts of a text seen with the catalog of its database. `catalog` may be null, for who has no
/// database at hand: then a text that calls no function can be a read, whatever its relations are.
Decision decide(const QueryFacts& facts, const FunctionCatalog* catalog);

}  // namespace fairlead::sql
