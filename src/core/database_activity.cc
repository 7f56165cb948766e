#include "core/database_activity.h"

namespace fairlead::core {

const sql::FunctionCatalog* DatabaseActivity::current(const sql::FunctionCatalog* catalog) const {
  const Time changed{Duration{catalog_changed_at_.load()}};
  return catalog != nullptr && catalog->as_of() > changed ? catalog : nullptr;
}

void DatabaseActivity::note_write(Time now, const WrittenTables& tables,
                                  const sql::FunctionCatalog* catalog) {
  const sql::FunctionCatalog* known = current(catalog);
  const bool is_current = known != nullptr && known->generation() == tables.generation();
  if (is_current || tables.ids().empty()) return writes_.note(now, tables);
  WrittenTables any;
  any.add_whole_database();
  writes_.note(now, any);
}

bool DatabaseActivity::is_current(const sql::FunctionCatalog* catalog) const {
  return catalog != nullptr && catalog->as_of() > Time{Duration{unproved_at_.load()}};
}

void DatabaseActivity::count_catalog_change(Time now, CatalogChange change) {
  if (change >= CatalogChange::kSeen) ++catalog_changes_;
  if (change == CatalogChange::kUnprovesReads) unproved_at_ = now.time_since_epoch().count();
  catalog_changed_at_ = now.time_since_epoch().count();
}

}  // namespace fairlead::core
