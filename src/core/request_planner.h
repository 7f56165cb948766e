// Reads a request of a client into a RequestPlan, and takes note of the names that it defines and
// closes.
// The messages of the extended protocol stand in request_planner_extended.cc, SQL-level PREPARE,
// EXECUTE and DEALLOCATE in request_planner_sql.cc.
//
// Pure; one per worker, so that its memory is used again. Uses the worker's shape cache and
// statement registry, and the session's own statements; the session's statements change
// provisionally (prepared_client.h).
#pragma once

#include <span>
#include <string_view>

#include "core/known_statements.h"
#include "core/request_plan.h"
#include "core/session_state.h"
#include "sql/shape_cache.h"

namespace fairlead::core {

/// What all sessions of one worker and database share.
struct PlanningSources {
  sql::ShapeCache* shapes = nullptr;
  StatementRegistry* registry = nullptr;
  const sql::FunctionCatalog* catalog = nullptr;  // Null: not loaded yet.
  const KnownStatements* known = nullptr;         // Null: nothing is known.
};

class RequestPlanner {
 public:
  /// `bytes` is the request, `messages` what the reader made of it; `continues`: messages of the
  /// same segment were sent before. Fills `plan`, which is cleared first and keeps its memory.
  /// Error: the client broke the protocol; its connection cannot go on.
  Result<void> plan(PlanningSources context, SessionState& session, std::string_view bytes,
                    std::span<const RequestMessage> messages, RequestEnd end, bool continues,
                    RequestPlan& plan);

  /// Whether the request has to wait until everything before it is answered: what it means depends
  /// on the outcome (SQL PREPARE, EXECUTE and DEALLOCATE, which a failed transaction refuses;
  /// currval() and lastval(), for C18), or it is Fairlead's own to answer, or its comment asks for
  /// a NOTICE. Changes nothing.
  bool must_wait_its_turn(PlanningSources context, const SessionState& session,
                          std::string_view bytes, std::span<const RequestMessage> messages) const;

 private:
  struct BoundPortal {
    std::string_view name;
    ClientStatement statement;   // What it runs.
    std::string_view bind_body;  // Empty when the Bind streams, or its values are EXECUTE's own.
    bool finished = false;       // Executed to its end.
  };

  /// An EXECUTE that names its statement as servers know it.
  struct TranslatedExecute {
    PreparedPtr statement;
    ClientStatement executed;
    sql::Decision decision;
  };

  Result<void> plan_message(std::string_view bytes, const RequestMessage& message,
                            RequestPlan& plan);
  Result<void> plan_query(std::string_view bytes, const RequestMessage& message, RequestPlan& plan);
  Result<void> plan_parse(std::string_view bytes, const RequestMessage& message, RequestPlan& plan);
  Result<void> plan_bind(std::string_view bytes, const RequestMessage& message, RequestPlan& plan);
  Result<void> plan_describe(std::string_view bytes, const RequestMessage& message,
                             RequestPlan& plan);
  Result<void> plan_close(std::string_view bytes, const RequestMessage& message, RequestPlan& plan);
  Result<void> plan_execute(std::string_view bytes, const RequestMessage& message,
                            RequestPlan& plan);
  void plan_unseen(const RequestMessage& message, RequestPlan& plan);
  void plan_unknown(const RequestMessage& message, std::string_view name, RequestPlan& plan);
  Result<void> plan_unseen_parse(std::string_view bytes, const RequestMessage& message,
                                 RequestPlan& plan);
  Result<void> check_name(std::string_view name) const;
  void plan_missing(const RequestMessage& message, std::string_view name, RequestPlan& plan);
  BoundPortal* find_portal(std::string_view name);
  void execute_kept(std::string_view name, RequestPlan& plan);
  void keep_portals(RequestPlan& plan);
  static void reply(const RequestMessage& message, void (*append)(std::string&), RequestPlan& plan);
  bool plan_sql_prepared(std::string_view text, const std::shared_ptr<const sql::QueryFacts>& facts,
                         const HintsPtr& hints, RequestPlan& plan);
  bool plan_sql_prepare(std::string_view text, const sql::PreparedCommand& command,
                        const HintsPtr& hints, RequestPlan& plan);
  bool plan_sql_execute(const sql::QueryFacts& facts, RequestPlan& plan);
  std::optional<TranslatedExecute> translate_execute(const ClientStatement& client) const;
  sql::Decision decide_execute(const sql::QueryFacts& facts, const ClientStatement& executed) const;
  bool deallocate(const sql::PreparedCommand& command, PlannedMessage& planned);
  bool is_deallocate(const sql::QueryFacts* facts) const;
  void execute_deallocate(const sql::QueryFacts& facts, RequestPlan& plan);
  /// The hints of a text, which count for the request; null: it has none. nullopt: they make no
  /// sense, and the message is refused.
  std::optional<HintsPtr> take_hints(std::string_view text, bool has_comment,
                                     const RequestMessage& message, RequestPlan& plan);
  /// `decision` with what replicas have refused (A44).
  sql::Decision learnt(sql::Decision decision,
                       const std::shared_ptr<const sql::QueryFacts>& facts) const;
  static void add_decision(sql::Decision decision, RequestPlan& plan);
  static void add_effects(const sql::QueryFacts& facts, RequestPlan& plan);
  void add_use(const RequestMessage& message, const ClientStatement& statement,
               const std::optional<TranslatedExecute>& translated, RequestPlan& plan);
  Execution execution_of(const std::shared_ptr<const sql::QueryFacts>& facts, std::string_view text,
                         std::string_view bind_body) const;
  void add_execution(Execution execution, RequestPlan& plan);
  void add_set_config(std::string_view text, std::string_view bind_body,
                      Execution& execution) const;
  static PlannedMessage& add(const RequestMessage& message, PlannedMessage::Treatment treatment,
                             RequestPlan& plan);

  PlanningSources context_{};  // These two are of the call under way.
  SessionState* session_ = nullptr;
  bool continues_ = false;
  std::vector<BoundPortal> portals_;  // Bound in this request.
};

}  // namespace fairlead::core
