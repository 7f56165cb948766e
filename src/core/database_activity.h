// What clients of all workers have done to one database: its last writes by table, and when its
// catalog was changed.
//
// Pure. Any thread: atomics only.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.h"
#include "core/request_plan.h"
#include "core/write_moments.h"
#include "sql/functions.h"

namespace fairlead::core {

/// Wherever a `catalog` is passed, it is the newest that the caller has, or null. One that was
/// asked for before the catalog was changed does not tell which tables belong together, and counts
/// as none.
class DatabaseActivity {
 public:
  /// A transaction that may have written is about to be acknowledged to a client (D11).
  void note_write(Time now, const WrittenTables& tables, const sql::FunctionCatalog* catalog);
  /// The last write of anybody that the request, which only reads, has to see at level "app".
  Time last_write(const RequestPlan* reads, const sql::FunctionCatalog* catalog) const {
    return writes_.of(reads, current(catalog));
  }
  /// Time{}: nothing was written.
  Time last_write() const { return writes_.any(); }

  /// A change of the catalog is about to be acknowledged. Not kNone.
  void count_catalog_change(Time now, CatalogChange change = CatalogChange::kUnprovesReads);
  /// Whether a change that may have been none makes a difference.
  bool tells_tables_apart(const sql::FunctionCatalog* catalog) const {
    return current(catalog) != nullptr;
  }
  /// By anybody, but for those that may have been none.
  uint64_t catalog_changes() const { return catalog_changes_.load(); }
  /// Whether what the catalog says of functions and relations may be believed: nobody has run DDL
  /// that unproves reads since it was asked for. What was not understood does not count, or clients
  /// that speak a newer SQL would keep all reads on the primary.
  bool is_current(const sql::FunctionCatalog* catalog) const;
  /// A catalog has come that differs. The change may have been nobody's who came through here.
  void on_new_catalog() { writes_.forget_tables(); }

 private:
  const sql::FunctionCatalog* current(const sql::FunctionCatalog* catalog) const;

  WriteMoments writes_;
  std::atomic<uint64_t> catalog_changes_{0};
  /// The last of them, in microseconds of the loops' clock; 0: none.
  std::atomic<int64_t> catalog_changed_at_{0};
  std::atomic<int64_t> unproved_at_{0};  // The last of those that unprove reads.
};

}  // namespace fairlead::core
