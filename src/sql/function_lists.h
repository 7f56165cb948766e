// The reviewed lists of built-in functions (A.3 of the routing rules): what PostgreSQL's own labels
// get wrong, or do not say, for a statement that could run on another node. Data only.
//
// They are reviewed against pg_proc of PostgreSQL 15 and name newer ones up to 18. A name decides
// wherever it stands, whatever its schema: somebody else's function of that name goes to the
// primary too.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sql/facts.h"

namespace fairlead::sql {

enum class FunctionClass : uint8_t {
  kOrdinary,          // On no list: the catalog tells.
  kVolatileReadSafe,  // VOLATILE, yet a replica gives a good answer and nothing is changed.
  kWrites,      // Not labelled VOLATILE, or worth an early answer: nextval(), pg_current_xact_id().
  kSession,     // The answer or the effect belongs to one session.
  kNode,        // The answer or the effect belongs to one node.
  kDynamicSql,  // Executes SQL that the caller supplies.
  kAdvisory,    // Advisory locks, of any kind.
  kNotify,
};

struct FunctionListing {
  std::string_view name;
  FunctionClass function_class;
  uint16_t pin_events = 0;  // PinEvent bits that a call may raise.
};

/// Sorted by name.
std::span<const FunctionListing> reviewed_functions();

/// Looks a lower-case name up: the list first, then the families that share a prefix, such as
/// pg_stat_get_. Never fails: kOrdinary.
FunctionListing classify_function(std::string_view name);

/// Why a function of this class sends a statement to the primary; kRead for the two that do not.
Reason reason_for(FunctionClass function_class);

/// Built-in functions whose answer depends on what is stored in tables that they do not name: large
/// objects, sizes, the fate of transactions.
bool reads_stored_data(std::string_view name);

/// Extensions in C whose volatility labels were reviewed and can be believed (A46).
bool is_reviewed_extension(std::string_view extension);

/// Those whose functions in C ask for the rows of tables that the statement need not name.
bool reads_unnamed_tables(std::string_view extension);

}  // namespace fairlead::sql
