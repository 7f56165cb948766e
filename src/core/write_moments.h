// When each table of a database was last written through this Fairlead, and which of these writes a
// read has to see (consistency "app").
//
// Pure. Tables are told by name, and closed over what belongs to them, by the catalog
// (sql/table_closure.h); where they cannot be told, it is the whole database.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"
#include "core/request_plan.h"
#include "sql/functions.h"
#include "sql/table_closure.h"

namespace fairlead::core {

/// The tables that a transaction may have changed so far. Starts with none.
class WrittenTables {
 public:
  /// What the statements of a text may change, of a request that may write. `catalog` null: not
  /// known, so anything.
  void add(const sql::QueryFacts& facts, const sql::FunctionCatalog* catalog);
  void add(const WrittenTables& more);
  void add_whole_database();
  /// Keeps its memory.
  void clear();

  /// Of the catalog by which ids() were found, or those that were added first; 0: of none.
  uint64_t generation() const { return generation_; }
  bool whole_database() const { return whole_database_; }
  std::span<const sql::TableId> ids() const { return ids_; }  // Some perhaps twice.

 private:
  // A transaction that writes to more is one that writes to everything.
  static constexpr size_t kIdsMax = 128;

  void add_ids(std::span<const sql::TableId> ids, uint64_t generation);

  bool whole_database_ = false;
  uint64_t generation_ = 0;
  std::vector<sql::TableId> ids_;
};

/// Any thread: every worker's sessions note here what they have written, before their clients are
/// told, so that whoever has been told finds it.
class WriteMoments {
 public:
  void note(Time now, const WrittenTables& tables);
  /// Other tables may belong together than was known so far: what has been written may have changed
  /// any of them.
  void forget_tables() { raise(whole_, any()); }
  /// The last write of anything; Time{}: none.
  Time any() const { return moment(any_); }
  /// The last write that the request, which only reads, has to see. `catalog` null, or a request
  /// that does not tell what it reads: any().
  Time of(const RequestPlan* reads, const sql::FunctionCatalog* catalog) const;

 private:
  using Moment = std::atomic<int64_t>;  // Microseconds of the loops' clock; 0: never.

  static Time moment(const Moment& at) { return Time{Duration{at.load()}}; }
  static void raise(Moment& at, Time now);

  Moment any_{0};
  Moment whole_{0};  // The last one of which the tables were not known.
  std::array<Moment, sql::kTableIds> tables_{};
};

}  // namespace fairlead::core
