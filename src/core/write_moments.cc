#include "core/write_moments.h"

#include <algorithm>

namespace fairlead::core {
namespace {

using sql::Reason;

/// Whether the relations that the text names as written, and what belongs to them, are all that it
/// changes, as far as it does not call anything.
bool names_what_it_writes(const sql::QueryFacts& facts) {
  if (facts.statements != 1 || facts.changes_catalog || facts.opaque_side_effects ||
      facts.writes_unnamed)
    return false;
  switch (facts.reason) {
    case Reason::kRead:
    case Reason::kEmpty:
    case Reason::kWrite:
    case Reason::kWritingCte:
    case Reason::kCopyFrom:
    case Reason::kRowLock:
      return true;
    default:
      return false;
  }
}

/// BEGIN, SET and their like, unless they stand beside something that is called (D11).
bool writes_nothing(const sql::QueryFacts& facts, const sql::FunctionCatalog* catalog) {
  return facts.access == sql::Access::kPrimary && !facts.may_write &&
         !sql::decide(facts, catalog).may_write;
}

}  // namespace

void WrittenTables::add(const sql::QueryFacts& facts, const sql::FunctionCatalog* catalog) {
  if (whole_database_ || writes_nothing(facts, catalog)) return;
  if (catalog == nullptr || !names_what_it_writes(facts) || catalog->may_touch_any_table(facts))
    return add_whole_database();
  for (const sql::Relation& relation : facts.relations) {
    // Of a statement that may write, also what a view or a policy that it reads may call.
    if (catalog->tables().is_open_to_read(relation.name)) return add_whole_database();
    if (!relation.written) continue;
    const sql::Tables& tables = catalog->tables().written(relation.name);
    if (tables.whole_database) return add_whole_database();
    add_ids(tables.ids, catalog->generation());
  }
}

void WrittenTables::add(const WrittenTables& more) {
  if (more.whole_database_) return add_whole_database();
  add_ids(more.ids_, more.generation_);
}

void WrittenTables::add_ids(std::span<const sql::TableId> ids, uint64_t generation) {
  if (whole_database_ || ids.empty()) return;
  if (generation_ == 0) generation_ = generation;
  if (generation != generation_ || ids_.size() + ids.size() > kIdsMax) return add_whole_database();
  ids_.insert(ids_.end(), ids.begin(), ids.end());
}

void WrittenTables::add_whole_database() {
  whole_database_ = true;
  generation_ = 0;
  ids_.clear();
}

void WrittenTables::clear() {
  whole_database_ = false;
  generation_ = 0;
  ids_.clear();
}

void WriteMoments::raise(Moment& at, Time now) {
  const int64_t count = now.time_since_epoch().count();
  int64_t before = at.load();
  while (before < count && !at.compare_exchange_weak(before, count)) {
  }
}

void WriteMoments::note(Time now, const WrittenTables& tables) {
  if (tables.whole_database()) raise(whole_, now);
  for (const sql::TableId id : tables.ids()) raise(tables_[id], now);
  raise(any_, now);
}

Time WriteMoments::of(const RequestPlan* reads, const sql::FunctionCatalog* catalog) const {
  const Time newest = any();
  Time last = moment(whole_);
  if (reads == nullptr || catalog == nullptr || reads->executions.empty() || last == newest)
    return newest;
  for (const Execution& execution : reads->executions) {
    if (catalog->may_touch_any_table(*execution.facts)) return newest;
    for (const sql::Relation& relation : execution.facts->relations) {
      const sql::Tables& tables = catalog->tables().read(relation.name);
      if (tables.whole_database) return newest;
      for (const sql::TableId id : tables.ids) last = std::max(last, moment(tables_[id]));
    }
  }
  return last;
}

}  // namespace fairlead::core
