// Statements that Fairlead answers by itself: SET, RESET and SHOW of fairlead.*.
//
// Pure. They follow PostgreSQL's rules for settings of a session, transactions included, because
// SessionVariables keeps them.
#pragma once

#include <optional>
#include <string>

#include "core/node_index.h"
#include "core/session_state.h"
#include "sql/facts.h"
#include "sql/hints.h"

namespace fairlead::core {

/// The last route, for SHOW fairlead.last_route.
struct LastRoute {
  Target target = Target::kPrimary;
  std::optional<NodeIndex> node;  // None: nothing was routed yet.
  sql::Reason reason = sql::Reason::kLocal;
  uint32_t attempts = 0;
  uint64_t waited_us = 0;
};

/// What a statement answers: a row description and row, and a tag; or an error.
struct LocalAnswer {
  std::vector<std::string_view> columns;
  std::vector<std::string> values;  // As many as columns; none of both: no result.
  std::string tag;
};

/// Whether all of the text is one statement about fairlead.* that needs no server.
bool is_local_statement(const sql::QueryFacts& facts);

/// It is SHOW fairlead.token, whose answer has to be looked for first.
bool asks_for_token(const sql::QueryFacts& facts);

/// What SHOW answers from, besides the session.
struct LocalSources {
  const LastRoute& last_route;
  std::string_view node_name;  // Of last_route.node.
  std::string_view token;
};

/// Executes it: changes the session's settings, or answers SHOW. Errors: 42704 for an unknown name,
/// 22023 for a bad value; then nothing has changed.
Result<LocalAnswer> execute_local(const sql::QueryFacts& facts, SessionState& session,
                                  const LocalSources& sources);

}  // namespace fairlead::core
