// What one database knows about its functions, and of its relations which ones only the primary can
// answer for; and the verdict over a text that names them.
//
// A call is decided by name alone, over all schemas and overloads (A40): exact resolution would
// need argument types and the client's search_path. Labels are believed as far as A43 and A46
// allow. Relations, too, are told by name alone. Operators, casts, policies and the functions of
// views are NOT followed yet (A41, A45): decide() is where their closure will be asked.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "sql/facts.h"

namespace fairlead::sql {

/// One row of pg_proc, joined with pg_language and, where there is one, pg_extension.
struct FunctionRow {
  std::string_view name;  // proname, as stored.
  char volatility = 'v';  // provolatile: i, s or v.
  std::string_view language;
  bool is_builtin = false;          // In pg_catalog and not of an extension.
  std::string_view extension = {};  // Empty: not part of one.
  bool is_procedure =
      false;  // prokind p: only CALL runs it, so it says nothing about a function of that name.
};

enum class FunctionVerdict : uint8_t {
  kUnknown,    // No function of this name (yet): it may have been created a moment ago (A42).
  kSafe,       // Every function of this name may run on a replica.
  kVolatile,   // At least one may write.
  kUntrusted,  // At least one is in a language whose label proves nothing (A46).
};

/// An immutable snapshot of one database. Share it as shared_ptr<const FunctionCatalog>; every
/// thread may read it.
class FunctionCatalog {
 public:
  /// `generation` must differ between any two snapshots that one ShapeCache meets; 0 is reserved.
  /// `primary_relations`: what is unlogged, foreign or a sequence, and what is made of such (A50,
  /// A52, A54).
  static std::shared_ptr<const FunctionCatalog> build(
      std::span<const FunctionRow> rows, uint64_t generation,
      std::span<const std::string_view> primary_relations = {});

  FunctionVerdict verdict(std::string_view name) const;
  /// For attribute notation: only functions that are not built in can be meant, and no function at
  /// all is a plain column, which is safe.
  FunctionVerdict attribute_verdict(std::string_view name) const;
  bool is_primary_relation(std::string_view name) const {
    return primary_relations_.contains(name);
  }
  uint64_t generation() const { return generation_; }
  size_t size() const { return by_name_.size(); }

 private:
  struct Verdicts {
    FunctionVerdict call = FunctionVerdict::kSafe;
    FunctionVerdict attribute = FunctionVerdict::kSafe;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  FunctionCatalog(std::span<const FunctionRow> rows, uint64_t generation,
                  std::span<const std::string_view> primary_relations);

  std::unordered_map<std::string, Verdicts, Hash, std::equal_to<>> by_name_;
  std::unordered_set<std::string, Hash, std::equal_to<>> primary_relations_;
  uint64_t generation_;
};

struct Decision {
  Access access = Access::kPrimary;
  Reason reason = Reason::kCatalogLoading;
  bool may_write =
      true;  // False: even on the primary the statement is known to change nothing (D11).

  bool operator==(const Decision&) const = default;
};

/// The facts of a text seen with the functions of its database. `catalog` may be null: then only a
/// text with nothing to look up can be a read.
Decision decide(const QueryFacts& facts, const FunctionCatalog* catalog);

}  // namespace fairlead::sql
