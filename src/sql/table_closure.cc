#include "sql/table_closure.h"

#include <algorithm>

#include "sql/function_lists.h"

namespace fairlead::sql {
namespace {

// One relation, with where its reading and its writing lead to.
struct Relation {
  std::vector<uint32_t> read_leads_to;
  std::vector<uint32_t> write_leads_to;
  std::string_view name;
  bool read_is_open = false;  // It runs code that could touch any table.
  bool write_is_open = false;
};

class Graph {
 public:
  Graph(std::span<const FunctionRow> functions, std::span<const DependencyRow> rows,
        const RoutingLists& lists) {
    for (const FunctionRow& row : functions) {
      known_.insert(row.oid);
      if (!touches_no_table(row, lists)) open_.insert(row.oid);
    }
    for (const DependencyRow& row : rows) add(row);
  }

  bool is_open(std::span<const uint32_t> oids) const {
    return std::ranges::any_of(
        oids, [&](uint32_t oid) { return open_.contains(oid) || !known_.contains(oid); });
  }

  Tables read(uint32_t oid) const {
    return walk(oid, &Relation::read_leads_to, &Relation::read_is_open);
  }
  Tables written(uint32_t oid) const {
    return walk(oid, &Relation::write_leads_to, &Relation::write_is_open);
  }
  const std::unordered_map<uint32_t, Relation>& relations() const { return relations_; }

 private:
  void add(const DependencyRow& row) {
    using enum DependencyKind;
    switch (row.kind) {
      case kTable:
      case kReplicaLacks:
      case kForeignTable:
        at(row);
        return;
      case kView:
      case kParent:
        lead(row, true, true);
        return;
      case kPolicy:
        lead(row, true, false);
        return;
      case kForeignKey:
      case kRule:
        lead(row, false, true);
        return;
      case kTrigger:
      case kWriteExpression:  // What a policy asks, it does not change.
        lead(row, false, false);
        return;
      default:
        return;  // Of no relation.
    }
  }

  Relation& at(const DependencyRow& row) {
    Relation& relation = relations_[row.oid];
    relation.name = row.name;
    return relation;
  }

  void lead(const DependencyRow& row, bool reads, bool writes) {
    Relation& relation = at(row);
    const bool open = is_open(row.functions);
    // A policy's functions run with an UPDATE's WHERE, too.
    relation.write_is_open = relation.write_is_open || open;
    if (reads) {
      relation.read_is_open = relation.read_is_open || open;
      append(relation.read_leads_to, row.relations);
    }
    if (writes) append(relation.write_leads_to, row.relations);
  }

  // What initdb made is left out: only DDL changes the catalog.
  static void append(std::vector<uint32_t>& to, std::span<const uint32_t> oids) {
    for (const uint32_t oid : oids)
      if (oid >= kFirstUserOid) to.push_back(oid);
  }

  Tables walk(uint32_t start, std::vector<uint32_t> Relation::* leads_to,
              bool Relation::* is_open) const {
    std::vector<uint32_t> found{start};
    Tables tables{.whole_database = false};
    for (size_t i = 0; i < found.size(); ++i) {
      const auto at = relations_.find(found[i]);
      if (at == relations_.end() || at->second.*is_open) return {};
      tables.ids.push_back(table_id(at->second.name));
      for (const uint32_t oid : at->second.*leads_to) {
        if (std::ranges::find(found, oid) != found.end()) continue;
        if (found.size() == kTablesOfOneNameMax) return {};
        found.push_back(oid);
      }
    }
    std::ranges::sort(tables.ids);
    const auto repeated = std::ranges::unique(tables.ids);
    tables.ids.erase(repeated.begin(), repeated.end());
    return tables;
  }

  std::unordered_map<uint32_t, Relation> relations_;
  std::unordered_set<uint32_t> open_;
  std::unordered_set<uint32_t> known_;
};

// Two relations of one name: whichever is meant.
void unite(Tables& tables, Tables more) {
  tables.whole_database = tables.whole_database || more.whole_database;
  if (tables.whole_database) {
    tables.ids.clear();
    return;
  }
  std::vector<TableId> both;
  std::ranges::set_union(tables.ids, more.ids, std::back_inserter(both));
  tables.ids = std::move(both);
}

bool is_implicit(DependencyKind kind) {
  using enum DependencyKind;
  return kind == kCast || kind == kType || kind == kDomain || kind == kOperatorClass;
}

}  // namespace

// FNV-1a, folded: not keyed, because it must be the same everywhere, and a collision only waits.
TableId table_id(std::string_view name) {
  uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return static_cast<TableId>((hash ^ (hash >> 16)) % kTableIds);
}

bool touches_no_table(const FunctionRow& row, const RoutingLists& lists) {
  if (row.is_builtin)
    return !reads_stored_data(row.name) &&
           classify_function(row.name).function_class != FunctionClass::kDynamicSql;
  return row.language == "c" && is_trusted_extension(row.extension, lists) &&
         !reads_unnamed_tables(row.extension);
}

TableClosure::TableClosure(std::span<const FunctionRow> functions,
                           std::span<const DependencyRow> dependencies, const RoutingLists& lists) {
  const Graph graph(functions, dependencies, lists);
  for (const auto& [oid, relation] : graph.relations()) {
    const std::string name(relation.name);
    const Tables none{.whole_database = false};
    unite(read_.try_emplace(name, none).first->second, graph.read(oid));
    unite(written_.try_emplace(name, none).first->second, graph.written(oid));
  }
  // Its functions in C look coordinate systems up there, as any statement may by a cast alone.
  if (std::ranges::find(functions, "postgis", &FunctionRow::extension) != functions.end())
    written_["spatial_ref_sys"] = Tables{};
  for (const DependencyRow& row : dependencies) {
    const bool is_operator = row.kind == DependencyKind::kOperator;
    if (!(is_operator || is_implicit(row.kind)) || !graph.is_open(row.functions)) continue;
    if (is_operator)
      open_operators_.emplace(row.name);
    else
      has_open_implicit_call_ = true;
  }
}

bool TableClosure::is_open_to_read(std::string_view name) const {
  const auto found = read_.find(name);
  return found != read_.end() && found->second.whole_database;
}

const Tables& TableClosure::find(const ByName& sets, std::string_view name) {
  static const Tables kWhole;
  const auto found = sets.find(name);
  return found == sets.end() ? kWhole : found->second;
}

}  // namespace fairlead::sql
