// Which operators a node applies (A41): those that it writes, and those that the grammar turns into
// operators only later, by name, while PostgreSQL analyses the tree (parse_expr.c, parse_clause.c).
// What takes its operators from the types alone (ORDER BY, GROUP BY, DISTINCT, UNION) is a matter
// of operator classes: catalog_closure.h, ImplicitCall.
#include "sql/unit.h"

namespace fairlead::sql {
namespace {

void add(Unit& unit, std::string_view name) {
  auto& operators = unit.facts.operators;
  if (operators.empty() || operators.back() != name) operators.emplace_back(name);
}

void add_list(Unit& unit, size_t list) {
  if (const std::string_view name = last_name(unit.tree, list); !name.empty()) add(unit, name);
}

// NOT BETWEEN and SYMMETRIC are made of the same four.
void add_between(Unit& unit, bool negated) {
  add(unit, negated ? "<" : ">=");
  add(unit, negated ? ">" : "<=");
}

void expression(Unit& unit, size_t node) {
  const std::string_view kind = unit.tree.text(node, "kind");
  if (kind == "AEXPR_BETWEEN" || kind == "AEXPR_BETWEEN_SYM") return add_between(unit, false);
  if (kind == "AEXPR_NOT_BETWEEN" || kind == "AEXPR_NOT_BETWEEN_SYM")
    return add_between(unit, true);
  add_list(unit, unit.tree.member(node, "name"));
}

}  // namespace

void collect_operators(Unit& unit, size_t node, std::string_view type) {
  const ParseTree& tree = unit.tree;
  const auto has = [&](std::string_view key) { return tree.member(node, key) != ParseTree::kNone; };
  if (type == "A_Expr") return expression(unit, node);
  if (type == "SortBy") return add_list(unit, tree.member(node, "useOp"));
  if (type == "SubLink") {
    if (has("operName")) return add_list(unit, tree.member(node, "operName"));
    if (has("testexpr")) add(unit, "=");  // x IN (SELECT ...)
  }
  if (type == "CaseExpr" && has("arg")) add(unit, "=");
  if (type == "JoinExpr" && (has("usingClause") || tree.flag(node, "isNatural"))) add(unit, "=");
}

}  // namespace fairlead::sql
