// Statements that Fairlead answers by itself: SET, RESET and SHOW of fairlead.*.
//
// Pure. They follow PostgreSQL's rules for settings of a session, transactions included, because
// SessionVariables keeps them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/node_index.h"
#include "core/session_state.h"
#include "sql/facts.h"
#include "sql/hints.h"
#include "wire/result_table.h"

namespace fairlead::core {

/// Fairlead's own version. A promise of the interface: tests and scripts read it.
inline constexpr std::string_view kVersion = "0.1.0";

/// The last route, for SHOW fairlead.last_route.
struct LastRoute {
  Target target = Target::kPrimary;
  std::optional<NodeIndex> node;  // None: nothing was routed yet.
  sql::Reason reason = sql::Reason::kLocal;
  uint32_t attempts = 0;
  uint64_t waited_us = 0;
};

/// What a statement answers: a row description and rows, and a tag; or an error.
struct LocalAnswer {
  std::vector<std::string_view> columns;                      // None: no result.
  std::vector<std::vector<std::optional<std::string>>> rows;  // As many cells as columns each.
  std::string tag;
};

/// Whether all of the text is one statement about fairlead.* that needs no server.
bool is_local_statement(const sql::QueryFacts& facts);

/// It is SHOW fairlead.token, whose answer has to be looked for first.
bool asks_for_token(const sql::QueryFacts& facts);

/// It is SHOW fairlead.NAME, and NAME may be a report about the whole of Fairlead: that name.
/// Empty: it is something else.
std::string_view report_name(const sql::QueryFacts& facts);

/// What SHOW answers from, besides the session.
struct LocalSources {
  const LastRoute& last_route;
  std::string_view node_name;  // Of last_route.node.
  std::string_view token;
  std::span<const wire::ResultColumn> report_columns =
      {};                                     // Of the report that is asked for; else none.
  const wire::ResultTable* report = nullptr;  // Null: only the columns count.
};

/// Executes it: changes the session's settings, or answers SHOW. Errors: 42704 for an unknown name,
/// 22023 for a bad value; then nothing has changed.
Result<LocalAnswer> execute_local(const sql::QueryFacts& facts, SessionState& session,
                                  const LocalSources& sources);

}  // namespace fairlead::core
