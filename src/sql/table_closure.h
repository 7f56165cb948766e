// Which tables the reading of a relation may depend on, and which ones a write to it may change:
// for floors that are kept by table (consistency "app"). Pure; computed once for each catalog.
//
// Tables are told by name, over all schemas, and a name by a number below kTableIds, which is a
// hash: the same in every snapshot, worker and process, so that a floor outlives a reload of the
// catalog. Two names of one number wait for each other, which costs a wait and no correctness.
//
// A read depends on the tables that it names, closed over views, partitions, inheritance and
// policies; a write changes those that it names, closed over partitions, inheritance, actions of
// foreign keys, rules and the tables under a view. Whatever runs code that could touch any table, a
// trigger above all, is the whole database. Both go downwards only: reading a parent reads its
// children, writing a child changes what the parent shows, and the child is in the parent's set.
//
// Not told by relations' names, and for who asks to know: what else the statement calls, be it a
// read or a write (FunctionCatalog::may_touch_any_table()); TRUNCATE ... CASCADE and DDL change the
// whole database; so does a catalog with another mark than the last one's, because views may have
// been redefined by somebody unseen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sql/catalog_closure.h"
#include "sql/catalog_rows.h"

namespace fairlead::sql {

using TableId = uint16_t;

/// 8 bytes of a floor for each are 32 KiB a database. With 200 tables, one in 20 shares its number.
inline constexpr size_t kTableIds = 4096;
/// A larger set is the whole database: a partitioned table of more partitions, as a rule.
inline constexpr size_t kTablesOfOneNameMax = 256;

TableId table_id(std::string_view name);

struct Tables {
  bool whole_database = true;
  std::vector<TableId> ids = {};  // Sorted, unique; empty when it is the whole database.

  bool operator==(const Tables&) const = default;
};

/// Whether a function of this row surely reads and writes no table: one of PostgreSQL's own, or a C
/// function of a reviewed or trusted extension. PostGIS reads one, spatial_ref_sys, whose writes
/// are those of the whole database instead. The author's labels do not count (A43): a replica does
/// not refuse a read that is too old.
bool touches_no_table(const FunctionRow& row, const RoutingLists& lists = {});

class TableClosure {
 public:
  TableClosure(std::span<const FunctionRow> functions, std::span<const DependencyRow> dependencies,
               const RoutingLists& lists = {});

  /// Whether a relation has this name.
  bool knows(std::string_view name) const { return read_.contains(name); }
  /// A name that no relation has (yet), a WITH query's for one, is the whole database.
  const Tables& read(std::string_view name) const { return find(read_, name); }
  const Tables& written(std::string_view name) const { return find(written_, name); }
  /// Whether a read of it, at any depth, runs code that could touch any table. Not of a name that
  /// no relation has, a WITH query's for one: such a read runs what else the text names.
  bool is_open_to_read(std::string_view name) const;
  /// An operator, in any schema, that calls what could touch any table.
  bool is_open_operator(std::string_view name) const { return open_operators_.contains(name); }
  /// The database has a cast, domain, type or operator class that does, and every statement may
  /// meet it unnamed.
  bool has_open_implicit_call() const { return has_open_implicit_call_; }

 private:
  using ByName = std::unordered_map<std::string, Tables, NameHash, std::equal_to<>>;

  static const Tables& find(const ByName& sets, std::string_view name);

  ByName read_;
  ByName written_;
  std::unordered_set<std::string, NameHash, std::equal_to<>> open_operators_;
  bool has_open_implicit_call_ = false;
};

}  // namespace fairlead::sql
