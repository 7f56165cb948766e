#include "sql/functions.h"

#include <algorithm>

#include "sql/function_lists.h"
#include "sql/function_source.h"

namespace fairlead::sql {
namespace {

// The verdict over several functions of one name: the worst.
FunctionVerdict worst(FunctionVerdict a, FunctionVerdict b) { return std::max(a, b); }

Reason listed_reason(std::string_view name) {
  return reason_for(classify_function(name).function_class);
}

Reason reason_of(FunctionVerdict verdict) {
  switch (verdict) {
    case FunctionVerdict::kSafe:
      return Reason::kRead;
    case FunctionVerdict::kVolatile:
      return Reason::kVolatileFunction;
    case FunctionVerdict::kUnknown:
    case FunctionVerdict::kUntrusted:
      return Reason::kUnknownFunction;
    case FunctionVerdict::kListed:
      return Reason::kPrimaryList;
  }
  return Reason::kUnknownFunction;
}

}  // namespace

FunctionCatalog::FunctionCatalog(std::span<const FunctionRow> rows, uint64_t generation,
                                 std::span<const DependencyRow> dependencies, Time as_of,
                                 RoutingLists lists)
    : lists_(std::move(lists)),
      closure_(close_over(rows, dependencies, lists_)),
      tables_(rows, dependencies, lists_),
      session_(rows, dependencies, lists_, SessionConcern::kState),
      sequences_(rows, dependencies, lists_, SessionConcern::kSequences),
      generation_(generation),
      as_of_(as_of) {
  by_name_.reserve(rows.size());
  for (const FunctionRow& row : rows) {
    if (row.is_procedure) continue;
    const FunctionVerdict one = verdict_of(row, lists_);
    const auto [at, inserted] = by_name_.try_emplace(std::string(row.name));
    at->second.call = worst(at->second.call, one);
    const bool touches_none = touches_no_table(row, lists_);
    at->second.touches_no_table = at->second.touches_no_table && touches_none;
    // Called in full it would have been noted by the text already.
    const bool is_listed = row.is_builtin && listed_reason(row.name) != Reason::kRead;
    at->second.attribute =
        worst(at->second.attribute, is_listed ? worst(one, FunctionVerdict::kVolatile) : one);
    at->second.attribute_touches_no_table = at->second.attribute_touches_no_table && touches_none;
  }
  for (const auto& [name, reason] : closure_.functions) {
    const FunctionVerdict verdict =
        reason == Reason::kPrimaryList ? FunctionVerdict::kListed : FunctionVerdict::kVolatile;
    Verdicts& verdicts = by_name_[name];
    verdicts.call = worst(verdicts.call, verdict);
    verdicts.attribute = worst(verdicts.attribute, verdict);
  }
}

std::shared_ptr<const FunctionCatalog> FunctionCatalog::build(
    std::span<const FunctionRow> rows, uint64_t generation,
    std::span<const DependencyRow> dependencies, Time as_of, RoutingLists lists) {
  return std::shared_ptr<const FunctionCatalog>(
      new FunctionCatalog(rows, generation, dependencies, as_of, std::move(lists)));
}

std::shared_ptr<const FunctionCatalog> FunctionCatalog::not_loaded() {
  static const auto catalog = build({}, kNotLoaded);
  return catalog;
}

FunctionVerdict FunctionCatalog::verdict(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) return found->second.call;
  if (lists_.is_primary_function(name)) return FunctionVerdict::kListed;
  return lists_.is_replica_function(name) ? FunctionVerdict::kSafe : FunctionVerdict::kUnknown;
}

FunctionVerdict FunctionCatalog::attribute_verdict(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? FunctionVerdict::kSafe : found->second.attribute;
}

Reason FunctionCatalog::relation_reason(std::string_view name) const {
  const auto found = closure_.relations.find(name);
  if (found != closure_.relations.end()) return found->second;
  if (lists_.is_primary_relation(name)) return Reason::kPrimaryList;
  return tables_.knows(name) ? Reason::kRead : Reason::kUnknownRelation;
}

Reason FunctionCatalog::operator_reason(std::string_view name) const {
  const auto found = closure_.operators.find(name);
  return found == closure_.operators.end() ? Reason::kRead : found->second;
}

bool FunctionCatalog::may_change_session(const QueryFacts& facts) const {
  const bool calls_unknown = std::ranges::any_of(facts.functions, [&](const std::string& name) {
    return verdict(name) == FunctionVerdict::kUnknown;
  });
  return calls_unknown || session_.concerns(facts);
}

bool FunctionCatalog::may_touch_any_table(const QueryFacts& facts) const {
  if (!facts.empty() && tables_.has_open_implicit_call()) return true;
  for (const std::string& name : facts.functions) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end() || !found->second.touches_no_table) return true;
  }
  for (const std::string& name : facts.attributes) {
    const auto found = by_name_.find(name);
    if (found != by_name_.end() && !found->second.attribute_touches_no_table) return true;
  }
  return std::ranges::any_of(
      facts.operators, [&](const std::string& name) { return tables_.is_open_operator(name); });
}

namespace {

// A name that no relation has may be that of a WITH query; where one has it, the relation counts.
bool is_of_with_query(const QueryFacts& facts, const Relation& relation) {
  return relation.schema.empty() && std::ranges::binary_search(facts.with_names, relation.name);
}

// The first thing in the text that the catalog does not let a replica do.
Reason first_unsafe(const QueryFacts& facts, const FunctionCatalog& catalog) {
  for (const std::string& name : facts.functions)
    if (const Reason reason = reason_of(catalog.verdict(name)); reason != Reason::kRead)
      return reason;
  for (const std::string& name : facts.attributes) {
    const Reason reason = reason_of(catalog.attribute_verdict(name));
    const Reason listed = listed_reason(name);
    if (reason == Reason::kVolatileFunction && listed != Reason::kRead) return listed;
    if (reason != Reason::kRead) return reason;
  }
  for (const std::string& name : facts.operators)
    if (const Reason reason = catalog.operator_reason(name); reason != Reason::kRead) return reason;
  for (const Relation& relation : facts.relations) {
    const Reason reason = catalog.relation_reason(relation.name);
    const bool needs_no_row = relation.is_of_system() || is_of_with_query(facts, relation);
    if (reason == Reason::kUnknownRelation && needs_no_row) continue;
    if (reason != Reason::kRead) return reason;
  }
  return facts.empty() ? Reason::kRead : catalog.implicit_call().reason;
}

// As long as nobody knows what the functions do. A name behind a dot is a column, as a rule.
bool calls_anything(const QueryFacts& facts) {
  return !facts.functions.empty() || std::ranges::any_of(facts.attributes, is_session_builtin);
}

}  // namespace

Decision decide(const QueryFacts& facts, const FunctionCatalog* catalog) {
  const bool is_loaded = catalog != nullptr && catalog->is_loaded();
  const bool opaque = is_loaded ? catalog->may_change_session(facts) : calls_anything(facts);
  const bool asks = is_loaded && catalog->may_ask_for_sequence(facts);
  Reason unsafe = Reason::kRead;
  if (is_loaded)
    unsafe = first_unsafe(facts, *catalog);
  else if (!facts.functions.empty() || !facts.attributes.empty() ||
           (catalog != nullptr && (!facts.relations.empty() || !facts.operators.empty())))
    unsafe = Reason::kCatalogLoading;
  // A lock on a replica excludes nobody, whatever the label of the function that takes it (C15),
  // and no replica has the values of sequences.
  if ((opaque || asks) && unsafe == Reason::kRead) unsafe = Reason::kSessionFunction;
  const bool primary_only = facts.primary_only || !is_same_on_replica(unsafe);
  if (facts.access == Access::kPrimary) {
    const bool may_write = facts.may_write || unsafe != Reason::kRead;
    return {Access::kPrimary, facts.reason, may_write, opaque, primary_only, asks};
  }
  if (unsafe != Reason::kRead) return {Access::kPrimary, unsafe, true, opaque, primary_only, asks};
  return {Access::kRead, facts.reason, false};
}

}  // namespace fairlead::sql
