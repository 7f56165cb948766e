#include "sql/session_closure.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "base/ascii.h"
#include "sql/function_source.h"

namespace fairlead::sql {
namespace {

bool has_readable_source(const FunctionRow& row) {
  return !row.source.empty() && (row.language == "sql" || row.language == "plpgsql");
}

// By what the row itself says; `words` are its source's, if it can be read.
bool changes_session(const FunctionRow& row, const SourceWords& words, const RoutingLists& lists) {
  if (row.is_builtin) return is_session_builtin(row.name);
  if (has_readable_source(row))
    return words.changes_session || (row.volatility == 'v' && words.may_run_anything);
  const FunctionVerdict verdict = verdict_of(row, lists);
  if (verdict != FunctionVerdict::kListed) return verdict != FunctionVerdict::kSafe;
  return row.volatility == 'v' || (row.language != "sql" && row.language != "plpgsql");
}

bool is_concern(const FunctionRow& row, const SourceWords& words, const RoutingLists& lists,
                SessionConcern concern) {
  if (concern == SessionConcern::kState) return changes_session(row, words, lists);
  return row.is_builtin && (row.name == "currval" || row.name == "lastval");
}

bool is_read_too(DependencyKind kind) {
  using enum DependencyKind;
  return kind == kView || kind == kPolicy || kind == kParent;
}

bool is_of_every_statement(DependencyKind kind) {
  using enum DependencyKind;
  return kind == kCast || kind == kType || kind == kDomain || kind == kOperatorClass;
}

// What is found, until nothing is added any more.
class Search {
 public:
  Search(std::span<const FunctionRow> functions, std::span<const DependencyRow> dependencies,
         const RoutingLists& lists, SessionConcern concern)
      : dependencies_(dependencies), concern_(concern) {
    for (const FunctionRow& row : functions) {
      known_.insert(row.oid);
      if (row.language == "c" && is_trusted_extension(row.extension, lists))
        reviewed_.insert(row.oid);
      SourceWords words = has_readable_source(row) ? read_source(row.source) : SourceWords{};
      const bool trusted = !row.is_builtin && lists.is_replica_function(row.name);
      if (!trusted && is_concern(row, words, lists, concern)) add_function(row.oid, row.name);
      if (!trusted && !words.names.empty()) readable_.push_back({&row, std::move(words.names)});
    }
    do {
      changed_ = false;
      for (const DependencyRow& row : dependencies_) follow(row);
      for (const Readable& one : readable_) follow(one);
    } while (changed_);
  }

  bool calls_any(const DependencyRow& row) const {
    return std::ranges::any_of(row.functions, [&](uint32_t oid) {
      const bool is_unknown = concern_ == SessionConcern::kState && !known_.contains(oid);
      return (oids_.contains(oid) && !reviewed_.contains(oid)) || is_unknown;
    });
  }
  bool is_function(uint32_t oid) const { return oids_.contains(oid); }
  bool is_read(uint32_t relation) const { return read_.contains(relation); }
  bool is_written(uint32_t relation) const { return written_.contains(relation); }

 private:
  struct Readable {
    const FunctionRow* row;
    std::vector<std::string> names;
  };

  void add_function(uint32_t oid, std::string_view name) {
    if (!oids_.insert(oid).second) return;
    changed_ = true;
    names_.insert(lower(name));
  }

  void add_relation(std::unordered_set<uint32_t>& to, const DependencyRow& row) {
    if (!to.insert(row.oid).second) return;
    changed_ = true;
    names_.insert(lower(row.name));
  }

  void follow(const DependencyRow& row) {
    const bool calls = calls_any(row);
    if (row.kind == DependencyKind::kDefaults) {
      if (calls) add_function(row.oid, row.name);
      return;
    }
    if (is_of_every_statement(row.kind)) return;
    if (row.kind == DependencyKind::kOperator) {
      if (calls && names_.emplace(row.name).second) changed_ = true;
      return;
    }
    const auto leads_to = [&](const std::unordered_set<uint32_t>& to) {
      return std::ranges::any_of(row.relations, [&](uint32_t oid) { return to.contains(oid); });
    };
    const bool reads = calls || leads_to(read_);
    if (reads && is_read_too(row.kind)) add_relation(read_, row);
    if (reads || leads_to(written_)) add_relation(written_, row);
  }

  void follow(const Readable& one) {
    if (oids_.contains(one.row->oid)) return;
    if (std::ranges::any_of(one.names, [&](const std::string& n) { return names_.contains(n); }))
      add_function(one.row->oid, one.row->name);
  }

  std::span<const DependencyRow> dependencies_;
  const SessionConcern concern_;
  std::vector<Readable> readable_;
  std::unordered_set<uint32_t> known_;
  std::unordered_set<uint32_t> reviewed_;  // Behind operators and types many lack a label.
  std::unordered_set<uint32_t> oids_;      // Of functions.
  std::unordered_set<uint32_t> read_;      // Of relations, as the next.
  std::unordered_set<uint32_t> written_;
  std::unordered_set<std::string> names_;  // Of all of them, as a source would mention them.
  bool changed_ = false;
};

}  // namespace

SessionClosure::SessionClosure(std::span<const FunctionRow> functions,
                               std::span<const DependencyRow> dependencies,
                               const RoutingLists& lists, SessionConcern concern) {
  const Search search(functions, dependencies, lists, concern);
  for (const FunctionRow& row : functions) {
    if (row.is_builtin && concern == SessionConcern::kSequences) continue;
    // Nobody knows of a CALL what it does, but that there is one to be called.
    const bool counts = concern == SessionConcern::kSequences || !row.is_procedure;
    if (counts && search.is_function(row.oid)) functions_.emplace(row.name);
  }
  for (const DependencyRow& row : dependencies) {
    if (row.kind == DependencyKind::kOperator || is_of_every_statement(row.kind)) {
      if (!search.calls_any(row)) continue;
      if (row.kind == DependencyKind::kOperator)
        operators_.emplace(row.name);
      else
        every_statement_ = true;
      continue;
    }
    if (row.kind == DependencyKind::kDefaults) continue;
    if (search.is_read(row.oid)) read_.emplace(row.name);
    if (search.is_written(row.oid)) written_.emplace(row.name);
  }
}

bool SessionClosure::concerns(const QueryFacts& facts) const {
  if (facts.empty()) return false;
  if (every_statement_) return true;
  const auto is_any = [](const std::vector<std::string>& names, const Names& of) {
    return !of.empty() &&
           std::ranges::any_of(names, [&](const std::string& name) { return of.contains(name); });
  };
  if (is_any(facts.functions, functions_) || is_any(facts.attributes, functions_) ||
      is_any(facts.operators, operators_))
    return true;
  const Names& relations = facts.may_write ? written_ : read_;
  return !relations.empty() && std::ranges::any_of(facts.relations, [&](const Relation& relation) {
    return relations.contains(relation.name);
  });
}

}  // namespace fairlead::sql
