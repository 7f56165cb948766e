#include "sql/catalog_closure.h"

#include <algorithm>
#include <cstdint>

#include "sql/function_lists.h"

namespace fairlead::sql {
namespace {

// Languages whose volatility label says something about writing (A46).
bool is_trusted_language(std::string_view language) {
  return language == "sql" || language == "plpgsql" || language == "internal";
}

// Whether the primary has to run it wherever it stands. current_setting() is let through: inside a
// view or a policy it asks for what the application has set, the tenant above all, and a replica's
// session is given the same settings (C3, C5).
bool is_listed(std::string_view name) {
  return reason_for(classify_function(name).function_class) != Reason::kRead &&
         name != "current_setting";
}

// How a function is reached. Those behind operators, casts and types of a reviewed extension were
// reviewed with it, and many of them lack a label (the estimators of PostGIS, for one).
enum class Way : uint8_t { kCalled, kByType };

class Functions {
 public:
  explicit Functions(std::span<const FunctionRow> rows) {
    safety_.reserve(rows.size());
    for (const FunctionRow& row : rows) {
      Safety& safety = safety_.try_emplace(row.oid).first->second;
      const bool is_safe = verdict_of(row) == FunctionVerdict::kSafe && !is_listed(row.name);
      safety.called = safety.called && is_safe;
      safety.by_type = safety.by_type && (is_safe || is_reviewed_extension(row.extension));
    }
  }

  bool are_safe(std::span<const uint32_t> oids, Way way) const {
    return std::ranges::all_of(oids, [&](uint32_t oid) {
      const auto found = safety_.find(oid);
      if (found == safety_.end()) return false;
      return way == Way::kCalled ? found->second.called : found->second.by_type;
    });
  }

  /// True when it was not known to be unsafe before.
  bool make_unsafe(uint32_t oid) {
    Safety& safety = safety_.try_emplace(oid).first->second;
    const bool was_safe = safety.called;
    safety = {false, false};
    return was_safe;
  }

 private:
  struct Safety {
    bool called = true;
    bool by_type = true;
  };
  std::unordered_map<uint32_t, Safety> safety_;
};

// A default may call a function that has defaults of its own, so until nothing changes.
void close_defaults(std::span<const DependencyRow> rows, Functions& functions,
                    CatalogClosure& closure) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const DependencyRow& row : rows) {
      if (row.kind != DependencyKind::kDefaults) continue;
      if (functions.are_safe(row.functions, Way::kCalled) || !functions.make_unsafe(row.oid))
        continue;
      closure.functions.emplace_back(row.name);
      changed = true;
    }
  }
}

Reason own_reason(const DependencyRow& row, const Functions& functions) {
  const bool is_safe = functions.are_safe(row.functions, Way::kCalled);
  const bool reads_catalog =
      std::ranges::any_of(row.relations, [](uint32_t oid) { return oid < kFirstUserOid; });
  switch (row.kind) {
    case DependencyKind::kReplicaLacks:
      return Reason::kPrimaryRelation;
    case DependencyKind::kView:
      if (!is_safe) return Reason::kUnsafeView;
      return reads_catalog ? Reason::kSystemCatalog : Reason::kRead;  // A53
    case DependencyKind::kPolicy:
      if (!is_safe) return Reason::kUnsafePolicy;
      return reads_catalog ? Reason::kSystemCatalog : Reason::kRead;
    default:
      return Reason::kRead;
  }
}

// From what is the primary's by itself to all that reads it, breadth first.
void close_relations(std::span<const DependencyRow> rows, const Functions& functions,
                     CatalogClosure& closure) {
  std::unordered_map<uint32_t, std::vector<const DependencyRow*>> readers;
  std::unordered_map<uint32_t, Reason> reasons;
  std::vector<uint32_t> found;
  const auto mark = [&](const DependencyRow& row, Reason reason) {
    if (!reasons.try_emplace(row.oid, reason).second) return;
    closure.relations.try_emplace(std::string(row.name), reason);
    found.push_back(row.oid);
  };
  for (const DependencyRow& row : rows) {
    for (const uint32_t below : row.relations) readers[below].push_back(&row);
    if (const Reason reason = own_reason(row, functions); reason != Reason::kRead)
      mark(row, reason);
  }
  for (size_t i = 0; i < found.size(); ++i) {
    const uint32_t oid = found[i];
    const auto above = readers.find(oid);
    if (above == readers.end()) continue;
    for (const DependencyRow* reader : above->second) mark(*reader, reasons.at(oid));
  }
}

void close_operators(std::span<const DependencyRow> rows, const Functions& functions,
                     CatalogClosure& closure) {
  for (const DependencyRow& row : rows)
    if (row.kind == DependencyKind::kOperator && !functions.are_safe(row.functions, Way::kByType))
      closure.operators.emplace(row.name);
}

struct ImplicitKind {
  DependencyKind kind;
  Way way;
  Reason reason;
};

// Whoever has several hears of the first: a type comes with casts and operator classes.
constexpr ImplicitKind kImplicitKinds[] = {
    {DependencyKind::kType, Way::kByType, Reason::kUnsafeType},
    {DependencyKind::kDomain, Way::kCalled, Reason::kUnsafeDomain},
    {DependencyKind::kCast, Way::kByType, Reason::kUnsafeCast},
    {DependencyKind::kOperatorClass, Way::kByType, Reason::kUnsafeOperatorClass},
};

ImplicitCall find_implicit_call(std::span<const DependencyRow> rows, const Functions& functions) {
  for (const ImplicitKind& implicit : kImplicitKinds)
    for (const DependencyRow& row : rows)
      if (row.kind == implicit.kind && !functions.are_safe(row.functions, implicit.way))
        return {.reason = implicit.reason, .object = std::string(row.name)};
  return {};
}

}  // namespace

FunctionVerdict verdict_of(const FunctionRow& row) {
  const bool known = row.is_builtin || is_reviewed_extension(row.extension);
  if (!known && !is_trusted_language(row.language)) return FunctionVerdict::kUntrusted;
  if (row.volatility != 'v') return FunctionVerdict::kSafe;  // As far as labels go (A43).
  if (known && classify_function(row.name).function_class == FunctionClass::kVolatileReadSafe)
    return FunctionVerdict::kSafe;
  return FunctionVerdict::kVolatile;
}

CatalogClosure close_over(std::span<const FunctionRow> functions,
                          std::span<const DependencyRow> dependencies) {
  Functions known(functions);
  CatalogClosure closure;
  close_defaults(dependencies, known, closure);
  close_relations(dependencies, known, closure);
  close_operators(dependencies, known, closure);
  closure.implicit = find_implicit_call(dependencies, known);
  return closure;
}

}  // namespace fairlead::sql
