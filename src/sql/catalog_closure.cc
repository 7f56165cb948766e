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

// The worse one counts, and what the operator says before all else.
enum class Danger : uint8_t { kNone, kUnsafe, kListed };

Reason reason_for(Danger danger, Reason unsafe) {
  if (danger == Danger::kListed) return Reason::kPrimaryList;
  return danger == Danger::kUnsafe ? unsafe : Reason::kRead;
}

Danger danger_of(const FunctionRow& row, const RoutingLists& lists) {
  const FunctionVerdict verdict = verdict_of(row, lists);
  if (verdict == FunctionVerdict::kListed) return Danger::kListed;
  return verdict == FunctionVerdict::kSafe && !is_listed(row.name) ? Danger::kNone
                                                                   : Danger::kUnsafe;
}

class Functions {
 public:
  Functions(std::span<const FunctionRow> rows, const RoutingLists& lists) {
    known_.reserve(rows.size());
    for (const FunctionRow& row : rows) {
      Known& known = known_.try_emplace(row.oid).first->second;
      const Danger called = danger_of(row, lists);
      const bool is_reviewed =
          called == Danger::kUnsafe && is_trusted_extension(row.extension, lists);
      known.called = std::max(known.called, called);
      known.by_type = std::max(known.by_type, is_reviewed ? Danger::kNone : called);
      known.extension = row.extension;
    }
  }

  Danger danger(std::span<const uint32_t> oids, Way way) const {
    Danger worst = Danger::kNone;
    for (const uint32_t oid : oids) worst = std::max(worst, danger(oid, way));
    return worst;
  }

  /// True when it was less before.
  bool raise(uint32_t oid, Danger danger) {
    Known& known = known_.try_emplace(oid).first->second;
    const bool was_less = known.called < danger;
    known.called = std::max(known.called, danger);
    known.by_type = std::max(known.by_type, danger);
    return was_less;
  }

  /// Of the first that is not safe; empty when that is of none.
  std::string_view extension(std::span<const uint32_t> oids, Way way) const {
    for (const uint32_t oid : oids)
      if (danger(oid, way) != Danger::kNone)
        return known_.contains(oid) ? known_.at(oid).extension : std::string_view{};
    return {};
  }

 private:
  struct Known {
    Danger called = Danger::kNone;
    Danger by_type = Danger::kNone;
    std::string_view extension;
  };

  Danger danger(uint32_t oid, Way way) const {
    const auto found = known_.find(oid);
    if (found == known_.end()) return Danger::kUnsafe;
    return way == Way::kCalled ? found->second.called : found->second.by_type;
  }

  std::unordered_map<uint32_t, Known> known_;
};

void note(ReasonsByName& reasons, std::string_view name, Reason reason) {
  Reason& known = reasons.try_emplace(std::string(name), reason).first->second;
  if (reason == Reason::kPrimaryList) known = reason;
}

// A default may call a function that has defaults of its own, so until nothing changes.
void close_defaults(std::span<const DependencyRow> rows, Functions& functions,
                    CatalogClosure& closure) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const DependencyRow& row : rows) {
      if (row.kind != DependencyKind::kDefaults) continue;
      const Danger danger = functions.danger(row.functions, Way::kCalled);
      if (danger == Danger::kNone || !functions.raise(row.oid, danger)) continue;
      note(closure.functions, row.name, reason_for(danger, Reason::kVolatileFunction));
      changed = true;
    }
  }
}

bool reads_relations(DependencyKind kind) {
  using enum DependencyKind;
  return kind == kView || kind == kPolicy || kind == kParent;
}

// Of the relation that `row` is about.
Reason own_reason(const DependencyRow& row, const Functions& functions, const RoutingLists& lists) {
  const Danger danger = functions.danger(row.functions, Way::kCalled);
  const bool reads_catalog =
      std::ranges::any_of(row.relations, [](uint32_t oid) { return oid < kFirstUserOid; });
  switch (row.kind) {
    case DependencyKind::kReplicaLacks:
      return Reason::kPrimaryRelation;
    case DependencyKind::kForeignTable:  // A54
      return lists.is_replica_relation(row.name) ? Reason::kRead : Reason::kPrimaryRelation;
    case DependencyKind::kView:
      if (danger != Danger::kNone) return reason_for(danger, Reason::kUnsafeView);
      return reads_catalog ? Reason::kSystemCatalog : Reason::kRead;  // A53
    case DependencyKind::kPolicy:
      if (danger != Danger::kNone) return reason_for(danger, Reason::kUnsafePolicy);
      return reads_catalog ? Reason::kSystemCatalog : Reason::kRead;
    default:
      return Reason::kRead;
  }
}

bool is_of_relation(DependencyKind kind) {
  using enum DependencyKind;
  return kind == kReplicaLacks || kind == kForeignTable || kind == kTable || reads_relations(kind);
}

// From what is the primary's by itself to all that reads it, breadth first; what the operator lists
// comes first, so that its reason is the one that is told.
void close_relations(std::span<const DependencyRow> rows, const Functions& functions,
                     const RoutingLists& lists, CatalogClosure& closure) {
  std::unordered_map<uint32_t, std::vector<const DependencyRow*>> readers;
  std::unordered_map<uint32_t, Reason> reasons;
  std::vector<uint32_t> found;
  const auto mark = [&](const DependencyRow& row, Reason reason) {
    if (!reasons.try_emplace(row.oid, reason).second) return;
    note(closure.relations, row.name, reason);
    found.push_back(row.oid);
  };
  for (const DependencyRow& row : rows)
    if (is_of_relation(row.kind) && lists.is_primary_relation(row.name))
      mark(row, Reason::kPrimaryList);
  for (const DependencyRow& row : rows) {
    if (reads_relations(row.kind))
      for (const uint32_t below : row.relations) readers[below].push_back(&row);
    if (const Reason reason = own_reason(row, functions, lists); reason != Reason::kRead)
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
  for (const DependencyRow& row : rows) {
    if (row.kind != DependencyKind::kOperator) continue;
    const Danger danger = functions.danger(row.functions, Way::kByType);
    if (danger != Danger::kNone)
      note(closure.operators, row.name, reason_for(danger, Reason::kUnsafeOperator));
  }
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
    for (const DependencyRow& row : rows) {
      if (row.kind != implicit.kind) continue;
      const Danger danger = functions.danger(row.functions, implicit.way);
      if (danger == Danger::kNone) continue;
      ImplicitCall call{.reason = reason_for(danger, implicit.reason),
                        .object = std::string(row.name)};
      if (const auto extension = functions.extension(row.functions, implicit.way);
          !extension.empty())
        call.object.append(" of extension ").append(extension);
      return call;
    }
  return {};
}

}  // namespace

bool is_trusted_extension(std::string_view extension, const RoutingLists& lists) {
  return is_reviewed_extension(extension) || lists.trusts_extension(extension);
}

FunctionVerdict verdict_of(const FunctionRow& row, const RoutingLists& lists) {
  if (lists.is_primary_function(row.name)) return FunctionVerdict::kListed;
  if (!row.is_builtin && lists.is_replica_function(row.name)) return FunctionVerdict::kSafe;
  const bool known = row.is_builtin || is_trusted_extension(row.extension, lists);
  if (!known && !is_trusted_language(row.language)) return FunctionVerdict::kUntrusted;
  if (row.volatility != 'v') return FunctionVerdict::kSafe;  // As far as labels go (A43).
  if (known && classify_function(row.name).function_class == FunctionClass::kVolatileReadSafe)
    return FunctionVerdict::kSafe;
  return FunctionVerdict::kVolatile;
}

CatalogClosure close_over(std::span<const FunctionRow> functions,
                          std::span<const DependencyRow> dependencies, const RoutingLists& lists) {
  Functions known(functions, lists);
  CatalogClosure closure;
  close_defaults(dependencies, known, closure);
  close_relations(dependencies, known, lists, closure);
  close_operators(dependencies, known, closure);
  closure.implicit = find_implicit_call(dependencies, known);
  return closure;
}

}  // namespace fairlead::sql
