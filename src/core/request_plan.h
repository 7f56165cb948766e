// What one request of a client means: what it executes, which prepared statements it names, whether
// it is a proven read.
//
// Made once per request by RequestPlanner, before a server is chosen; RequestWriter then writes it
// for that server. Views point into the request's bytes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/prepared_client.h"
#include "core/request_reader.h"
#include "core/variable_setting.h"
#include "sql/facts.h"
#include "sql/functions.h"
#include "sql/hints.h"

namespace fairlead::core {

/// A set_config() call whose effect outlives the statement.
struct SettingChange {
  std::string name;
  Setting setting = Setting::unknown();
  bool local = false;
  size_t statement = 0;  // Which of the text's statements calls it, from 0.
};

/// One text that the request executes; the effects of each of its statements count once that one
/// has completed.
struct Execution {
  std::shared_ptr<const sql::QueryFacts> facts;
  std::vector<SettingChange> set_config;
  /// Of its statements, from 0: those that were a COMMIT and answered with ROLLBACK (B11).
  std::vector<size_t> rolled_back = {};
  /// set_config() was called in a way that the text does not tell.
  bool set_config_unknown = false;
  std::string name = {};  // SQL PREPARE: the client's name for it.
};

struct PlannedMessage {
  /// What has to be done to it on its way to a server.
  enum class Treatment : uint8_t {
    kForward,
    kParse,           // Under the server's name; not at all if the server has it.
    kUse,             // Bind or Describe of a statement that the server may have to be given first.
    kUseMissing,      // Bind of one that the client does not have: under a name that nobody has.
    kCloseStatement,  // Only the client's name goes away.
    kSqlPrepare,      // Query: PREPARE under the server's name.
    kSqlExecute,      // Query: EXECUTE under the server's name.
    kFollowUp,        // Execute: `answer` has SQL to be executed behind it, unseen (C24).
    kReply,           // Nothing is sent: `answer` stands in its place.
    kRefuse,          // The request fails here, with `answer`.
  };

  RequestMessage message;
  Treatment treatment = Treatment::kForward;
  PreparedPtr statement = {};
  PreparedPtr executed = {};  // What `statement` EXECUTEs: the server has to have it, too.
  std::shared_ptr<const sql::QueryFacts> facts = {};  // Of `statement`.
  size_t name_begin = 0;  // kSqlExecute: where the name stands in the text.
  size_t name_end = 0;
  /// kReply, kRefuse: whole messages, without ReadyForQuery. kFollowUp: statements, each of them
  /// ended by a zero.
  std::string answer = {};
  bool uses_own_portal = false;  // Describe or Execute of a portal that was bound before it here.
  bool has_execution = false;    // Its command tags complete one of RequestPlan::executions.
  bool changes_statements = false;  // The client's statements are told of the answer.
};

/// The transaction command that is all of the text; null: it is not one, or more than that.
const sql::TransactionCommand* only_command(const sql::QueryFacts& facts);

/// Something of the text may begin or end a transaction; savepoints do neither.
bool may_control_transaction(const sql::QueryFacts& facts);

/// Behind the text a transaction is open that it has begun.
bool ends_inside_transaction(const sql::QueryFacts& facts);

/// It may have an effect of request_effects.h.
bool changes_session(const sql::QueryFacts& facts);

/// What a request may have done to the catalog (A42), from the least on.
enum class CatalogChange : uint8_t {
  kNone,
  kPerhaps,        // DO or CALL: other tables may belong together than before.
  kSeen,           // DDL, or what was not understood.
  kUnprovesReads,  // DDL after which a proven read may be none.
};
CatalogChange catalog_change_of(const sql::QueryFacts& facts);

struct RequestPlan {
  RequestEnd end = RequestEnd::kMore;
  std::vector<PlannedMessage> messages;
  std::vector<Execution> executions;
  sql::Decision decision{sql::Access::kRead, sql::Reason::kEmpty, false};  // Of all together.
  std::optional<sql::TransactionModes> opens;  // What it executes first is a BEGIN of these.
  bool begins = false;                         // Something of it is a BEGIN.
  bool ends_inside = false;                    // Of a transaction that it has begun.
  /// Something else of it may end a transaction or begin one, so that what it executes may be in
  /// several, or in none (B10).
  bool leaves_transaction = false;
  sql::Hints hints;
  bool local = true;      // No server is needed for any of it.
  bool executes = false;  // Something is bound, executed or queried, not only parsed and described.
  bool changes_statements = false;
  bool copy_in = false;
  sql::PinEvents pins;
  bool names_sequence_read = false;  // currval() or lastval(), perhaps only to be executed later.
  bool opaque = false;               // C4.
  bool changes_session = false;      // Some execution has an effect of request_effects.h …
  bool changes_settings = false;     // … on settings, so that what comes next may read differently.
  bool resets = false;   // Settings may go back to defaults that are not the client's (C24).
  bool commits = false;  // COMMIT, COMMIT PREPARED or PREPARE TRANSACTION is part of it.
  CatalogChange catalog_change = CatalogChange::kNone;
  bool prepares_unseen = false;  // SQL PREPARE, EXECUTE or DEALLOCATE that goes out as it stands.
  bool session_bound = false;    // What it means depends on the session: FETCH, EXECUTE.
  bool uses_named = false;       // A named prepared statement is bound.
  bool keeps_portal = false;     // A portal may be read further by a later request (C12d).

  /// Forgets everything but the memory that it holds.
  void clear();

  /// The message that executes the first of `executions` whose facts `is_meant` says yes to, which
  /// is asked in their order and no further; nullopt: none.
  template <class Predicate>
  std::optional<size_t> find_execution(Predicate is_meant) const {
    size_t execution = 0;
    for (size_t i = 0; i < messages.size(); ++i)
      if (messages[i].has_execution && is_meant(*executions[execution++].facts)) return i;
    return std::nullopt;
  }
};

/// Whether the client waits for a ReadyForQuery behind the answer of a request that ends so, of
/// which all or the head of its last message is planned.
bool ends_with_ready(RequestEnd end, const RequestPlan& plan);

}  // namespace fairlead::core
