// The walk over everything that a statement contains. A flat loop (parse_tree.h), so "any depth"
// (A11, A13) costs nothing extra, and an allow-list, so that a node nobody thought of is not a read
// (A3).
#include <algorithm>
#include <array>

#include "sql/function_lists.h"
#include "sql/unit.h"

namespace fairlead::sql {
namespace {

// Every node that a read may contain. Sorted.
constexpr std::array<std::string_view, 45> kReadNodes{
    "A_ArrayExpr",
    "A_Const",
    "A_Expr",
    "A_Indices",
    "A_Indirection",
    "A_Star",
    "Alias",
    "BitString",
    "BoolExpr",
    "Boolean",
    "BooleanTest",
    "CTECycleClause",
    "CTESearchClause",
    "CaseExpr",
    "CaseWhen",
    "CoalesceExpr",
    "CollateClause",
    "ColumnDef",
    "ColumnRef",
    "CommonTableExpr",
    "Float",
    "FuncCall",
    "GroupingFunc",
    "GroupingSet",
    "Integer",
    "JoinExpr",
    "List",
    "MinMaxExpr",
    "NamedArgExpr",
    "NullTest",
    "ParamRef",
    "RangeFunction",
    "RangeSubselect",
    "RangeTableFunc",
    "RangeTableFuncCol",
    "RangeTableSample",
    "RangeVar",
    "ResTarget",
    "RowExpr",
    "SQLValueFunction",
    "SelectStmt",
    "SortBy",
    "String",
    "SubLink",
    "TypeCast",
};
constexpr std::array<std::string_view, 4> kMoreReadNodes{"TypeName", "WindowDef", "XmlExpr",
                                                         "XmlSerialize"};
static_assert(std::ranges::is_sorted(kReadNodes) && std::ranges::is_sorted(kMoreReadNodes));

constexpr std::array<std::string_view, 4> kDmlNodes{"DeleteStmt", "InsertStmt", "MergeStmt",
                                                    "UpdateStmt"};

// A cast to one of these reads a catalog (A53). regconfig and regdictionary are left out: every
// full-text search names one, and dictionaries do not change between two statements.
constexpr std::array<std::string_view, 9> kCatalogTypes{
    "regclass", "regcollation", "regnamespace", "regoper", "regoperator",
    "regproc",  "regprocedure", "regrole",      "regtype",
};
static_assert(std::ranges::is_sorted(kCatalogTypes));

template <size_t N>
bool is_in(const std::array<std::string_view, N>& sorted, std::string_view word) {
  return std::ranges::binary_search(sorted, word);
}

bool is_node_type(std::string_view key) { return !key.empty() && key[0] >= 'A' && key[0] <= 'Z'; }

bool is_temp_schema(std::string_view schema) {
  return schema == "pg_temp" || schema.starts_with("pg_temp_");
}

/// A function of the family, unless it gives locks back.
bool takes_advisory_lock(const FunctionListing& listing) {
  const PinEvents events{listing.pin_events};
  return listing.function_class == FunctionClass::kAdvisory &&
         !events.has(PinEvent::kAdvisoryUnlock) && !events.has(PinEvent::kAdvisoryUnlockAll);
}

class TreeScan {
 public:
  TreeScan(Unit& unit, bool written) : unit_(unit), tree_(unit.tree), written_(written) {}

  void run(size_t root) {
    for (size_t i = root; i < tree_[root].end; ++i) {
      const std::string_view key = tree_.key(i);
      if (is_node_type(key))
        node(i, key);
      else if (!key.empty())
        field(i, key);
    }
  }

 private:
  void node(size_t i, std::string_view type) {
    collect_operators(unit_, i, type);
    if (type == "FuncCall") return call(i);
    if (type == "ColumnRef") return column(i);
    if (type == "A_Indirection") return indirection(i);
    if (type == "LockingClause") return unit_.note(Reason::kRowLock);
    if (type == "RangeTableSample") return sample(i);
    if (type == "String") return check_temp_name(tree_.text(i, "sval"));
    if (is_in(kDmlNodes, type)) return nested_write(i);
    if (is_in(kReadNodes, type) || is_in(kMoreReadNodes, type)) return;
    unit_.note(Reason::kUtility);
  }

  void field(size_t i, std::string_view key) {
    if (key == "relname") return relation(tree_[i].parent);
    if (key == "ctename") unit_.facts.with_names.emplace_back(tree_.text(tree_[i].parent, key));
    if (key == "intoClause") return select_into(i);
    if (key == "names" && is_in(kCatalogTypes, last_name(tree_, i)))
      return unit_.note(Reason::kSystemCatalog);
  }

  void call(size_t i) {
    const size_t names = tree_.member(i, "funcname");
    const std::string_view name = last_name(tree_, names);
    if (name.empty()) return unit_.note(Reason::kUtility);
    const FunctionListing listing = classify_function(name);
    if (listing.function_class == FunctionClass::kWrites)
      unit_.facts.primary_only = true;  // B3: a replica has no transaction ids to give.
    if (unit_.executes) {
      unit_.facts.takes_advisory_lock |= takes_advisory_lock(listing);
      unit_.facts.pins.bits = static_cast<uint16_t>(unit_.facts.pins.bits | listing.pin_events);
      if (name == "set_config") unit_.facts.calls_set_config = true;
      if (name == "setseed") unit_.facts.opaque_side_effects = true;  // C19
    }
    const Reason reason = reason_for(listing.function_class);
    // What runs any SQL has to be looked up in any case: the session may change by it (C4).
    if (reason == Reason::kRead || reason == Reason::kDynamicSqlFunction)
      unit_.facts.functions.emplace_back(name);
    if (reason != Reason::kRead) unit_.note(reason);
  }

  void select_into(size_t i) {
    unit_.note(Reason::kSelectInto);
    const size_t target = tree_.member(i, "rel");
    if (tree_.text(target, "relpersistence") == "t") return;  // relation() sees to it.
    unit_.facts.changes_catalog = true;
    if (is_temp_schema(tree_.text(target, "schemaname"))) {
      unit_.pin(PinEvent::kTempObject);
      ++unit_.temp_objects;
    }
  }

  // t.f may mean f(t).
  void column(size_t i) {
    const size_t fields = tree_.member(i, "fields");
    if (tree_.count(fields) < 2) return;
    if (const std::string_view name = last_name(tree_, fields); !name.empty())
      unit_.facts.attributes.emplace_back(name);
  }

  // (row).f may mean f(row).
  void indirection(size_t i) {
    const size_t steps = tree_.member(i, "indirection");
    for (size_t step = tree_.first(steps); step != ParseTree::kNone; step = tree_.next(step))
      if (const size_t name = tree_.member(step, "String"); name != ParseTree::kNone)
        unit_.facts.attributes.emplace_back(tree_.text(name, "sval"));
  }

  void sample(size_t i) {
    const std::string_view method = last_name(tree_, tree_.member(i, "method"));
    if (method != "bernoulli" && method != "system") unit_.facts.functions.emplace_back(method);
  }

  // INSERT, UPDATE, DELETE or MERGE. At the top its statement has been noted as a write already.
  void nested_write(size_t i) {
    unit_.note(Reason::kWritingCte);
    written_relation_ = tree_.member(i, "relation");
  }

  void relation(size_t range) {
    const std::string_view schema = tree_.text(range, "schemaname");
    const std::string_view name = tree_.text(range, "relname");
    check_temp_name(schema);
    const bool written =
        written_ || range == written_relation_ || tree_.key(range) == "rel";  // SELECT INTO's.
    unit_.facts.relations.push_back({std::string(schema), std::string(name), written});
    if (tree_.text(range, "relpersistence") == "t") temp_object(range);
    if (unit_.facts.relations.back().is_of_system()) unit_.note(Reason::kSystemCatalog);
  }

  void temp_object(size_t range) {
    unit_.note(Reason::kTempObject);
    unit_.pin(PinEvent::kTempObject);
    ++unit_.temp_objects;
    const size_t owner = tree_[range].parent;  // An IntoClause or a CreateStmt.
    if (tree_.text(owner, "onCommit") == "ONCOMMIT_DROP" ||
        tree_.text(owner, "oncommit") == "ONCOMMIT_DROP")
      ++unit_.temp_objects_dropped_on_commit;
  }

  void check_temp_name(std::string_view schema) {
    if (!is_temp_schema(schema)) return;
    unit_.facts.uses_temp_schema = true;
    ++unit_.temp_names;
    unit_.note(Reason::kTempObject);
  }

  Unit& unit_;
  const ParseTree& tree_;
  bool written_;
  size_t written_relation_ = ParseTree::kNone;
};

}  // namespace

void scan_tree(Unit& unit, size_t node, bool written) {
  if (node != ParseTree::kNone) TreeScan(unit, written).run(node);
}

std::string_view last_name(const ParseTree& tree, size_t list) {
  size_t last = ParseTree::kNone;
  for (size_t child = tree.first(list); child != ParseTree::kNone; child = tree.next(child))
    last = child;
  return tree.text(tree.member(last, "String"), "sval");
}

}  // namespace fairlead::sql
