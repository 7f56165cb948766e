// Which names of a database may change, when a statement has them, what a session keeps beyond its
// transaction: settings, locks, temporary tables (C4). The server is checked and cleaned after such
// a statement, which costs about as much as a small query; so this tells the few that may do so
// from the many that surely do not. Pure; computed once for each catalog.
//
// A function in SQL or PL/pgSQL is judged by its source (function_source.h) and by all that the
// source mentions, at any depth; another one by its label, as far as labels are believed (A46). A
// write does what the triggers, rules, defaults and checks of its tables do; a read what views and
// policies do. Not followed: event triggers, and functions written in SQL's own BEGIN ATOMIC or
// very long, of which the label counts.
//
// The same search finds which names may ask for currval() or lastval() without the statement's
// saying so (C18).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "sql/catalog_closure.h"
#include "sql/catalog_rows.h"
#include "sql/facts.h"

namespace fairlead::sql {

/// What is looked for.
enum class SessionConcern : uint8_t {
  kState,      // What may change what the session keeps.
  kSequences,  // What may ask for a sequence's value; of functions in C it is not believed.
};

class SessionClosure {
 public:
  SessionClosure(std::span<const FunctionRow> functions,
                 std::span<const DependencyRow> dependencies, const RoutingLists& lists,
                 SessionConcern concern);

  /// Whether a statement of these facts may do so, apart from functions that no row tells of.
  bool concerns(const QueryFacts& facts) const;
  /// No statement may.
  bool empty() const {
    return functions_.empty() && operators_.empty() && read_.empty() && written_.empty() &&
           !every_statement_;
  }

 private:
  using Names = std::unordered_set<std::string, NameHash, std::equal_to<>>;

  /// Of kState PostgreSQL's own, too, which attribute notation may mean. Those of kSequences are
  /// known by the text.
  Names functions_;
  Names operators_;
  Names read_;                    // Relations.
  Names written_;                 // Those of read_, too.
  bool every_statement_ = false;  // A cast, a type or a domain does, which no text names.
};

}  // namespace fairlead::sql
