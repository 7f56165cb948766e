#include "sql/functions.h"

#include <algorithm>
#include <array>

#include "sql/function_lists.h"

namespace fairlead::sql {
namespace {

// Languages whose volatility label says something about writing (A46).
bool is_trusted_language(std::string_view language) {
  return language == "sql" || language == "plpgsql" || language == "internal";
}

FunctionVerdict verdict_of(const FunctionRow& row) {
  const bool known = row.is_builtin || is_reviewed_extension(row.extension);
  if (!known && !is_trusted_language(row.language)) return FunctionVerdict::kUntrusted;
  if (row.volatility != 'v') return FunctionVerdict::kSafe;  // As far as labels go (A43).
  if (known && classify_function(row.name).function_class == FunctionClass::kVolatileReadSafe)
    return FunctionVerdict::kSafe;
  return FunctionVerdict::kVolatile;
}

// The verdict over several functions of one name: the worst.
FunctionVerdict worst(FunctionVerdict a, FunctionVerdict b) { return std::max(a, b); }

Reason reason_of(FunctionVerdict verdict) {
  switch (verdict) {
    case FunctionVerdict::kSafe:
      return Reason::kRead;
    case FunctionVerdict::kVolatile:
      return Reason::kVolatileFunction;
    case FunctionVerdict::kUnknown:
    case FunctionVerdict::kUntrusted:
      return Reason::kUnknownFunction;
  }
  return Reason::kUnknownFunction;
}

}  // namespace

FunctionCatalog::FunctionCatalog(std::span<const FunctionRow> rows, uint64_t generation,
                                 std::span<const std::string_view> primary_relations)
    : generation_(generation) {
  for (const std::string_view name : primary_relations) primary_relations_.emplace(name);
  by_name_.reserve(rows.size());
  for (const FunctionRow& row : rows) {
    if (row.is_procedure) continue;
    const FunctionVerdict one = verdict_of(row);
    const auto [at, inserted] = by_name_.try_emplace(std::string(row.name));
    at->second.call = worst(at->second.call, one);
    if (!row.is_builtin) at->second.attribute = worst(at->second.attribute, one);
  }
}

std::shared_ptr<const FunctionCatalog> FunctionCatalog::build(
    std::span<const FunctionRow> rows, uint64_t generation,
    std::span<const std::string_view> primary_relations) {
  return std::shared_ptr<const FunctionCatalog>(
      new FunctionCatalog(rows, generation, primary_relations));
}

FunctionVerdict FunctionCatalog::verdict(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? FunctionVerdict::kUnknown : found->second.call;
}

FunctionVerdict FunctionCatalog::attribute_verdict(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? FunctionVerdict::kSafe : found->second.attribute;
}

Decision decide(const QueryFacts& facts, const FunctionCatalog* catalog) {
  // The operators, casts and policies of A41 and A45 belong here, beside the functions.
  Reason unsafe = Reason::kRead;
  if (catalog != nullptr) {
    for (const std::string& name : facts.functions)
      if (unsafe == Reason::kRead) unsafe = reason_of(catalog->verdict(name));
    for (const std::string& name : facts.attributes)
      if (unsafe == Reason::kRead) unsafe = reason_of(catalog->attribute_verdict(name));
    for (const Relation& relation : facts.relations)
      if (unsafe == Reason::kRead && catalog->is_primary_relation(relation.name))
        unsafe = Reason::kPrimaryRelation;
  } else if (!facts.functions.empty() || !facts.attributes.empty()) {
    unsafe = Reason::kCatalogLoading;
  }
  if (facts.access == Access::kPrimary)
    return {Access::kPrimary, facts.reason, facts.may_write || unsafe != Reason::kRead};
  if (unsafe != Reason::kRead) return {Access::kPrimary, unsafe, true};
  return {Access::kRead, facts.reason, false};
}

}  // namespace fairlead::sql
