// Where one statement would go, why, and what would send it elsewhere: what `fairlead explain`
// prints. Pure.
//
// The decision is the proxy's own (core::decide_route over sql::classify and sql::decide), for a
// client of the automatic port outside of a transaction that has set nothing. What only a running
// proxy knows, which replica is fresh enough and least busy, is not in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "core/route.h"
#include "sql/functions.h"

namespace fairlead::app {

struct Explanation {
  core::Target target = core::Target::kPrimary;
  std::string node;  // "host:port", where a hint names one.
  sql::Reason reason = sql::Reason::kCatalogLoading;
  std::optional<core::Route> would_be;  // In observe mode: what mode = "split" would do.
  std::vector<std::string> functions;   // That decided it, or that nobody could look up.
  std::vector<std::string> objects;     // That decided it otherwise: views, tables, operators ...
  std::string change;                   // A sentence: what would change the target.
};

/// `catalog` null: nobody could be asked about functions. `database`: what the configuration says
/// of the one that it is sent to, for who sends it. Errors: a hint that is wrong.
Result<Explanation> explain(std::string_view statement, const sql::FunctionCatalog* catalog,
                            const config::Database& database = {});

std::string explanation_text(const Explanation& explanation);
std::string explanation_json(const Explanation& explanation);

}  // namespace fairlead::app
