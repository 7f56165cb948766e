// A PostgreSQL backend as far as its protocol goes: statements, portals, transactions, settings,
// COPY, errors that skip to the next Sync. Deterministic, and small enough to be believed: it is
// the judge of what a session does.
//
// A client that has one to itself gets exactly the answers that a client of Fairlead must get.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/sim_sql.h"
#include "wire/backend.h"
#include "wire/frame.h"

namespace fairlead::sim {

using Settings = std::map<std::string, std::string>;

class SimServer {
 public:
  /// `defaults`: the settings at login. A standby refuses INSERT.
  SimServer(Settings defaults, bool standby);

  /// Bytes of the client, cut anywhere. Everything complete is executed at once.
  void receive(std::string_view bytes);
  /// What it has said and nobody has taken yet; at most `max` bytes of it.
  std::string take_output(size_t max = SIZE_MAX);
  bool has_output() const { return !output_.empty(); }
  /// ParameterStatus of all that it reports, as at login.
  std::string login_reports() const;

  // What the session on it has, for checks.
  wire::TxStatus status() const { return status_; }
  /// It waits for a message, and not for the rest of one.
  bool is_quiet() const {
    return input_.empty() && cutter_.at_boundary() && output_.empty() && !copying_ && !skipping_;
  }
  std::string setting(const std::string& name) const;
  bool has_statement(const std::string& name) const { return statements_.contains(name); }
  const std::set<std::string>& listening() const { return listening_; }
  std::vector<std::string> statement_names() const;

  /// The names that are reported, and so are told to clients by themselves.
  static bool is_reported(std::string_view name);

 private:
  struct Values {
    Settings session;  // What differs from the defaults.
    Settings local;    // SET LOCAL, which hides `session`.
  };
  struct Savepoint {
    std::string name;
    Values values;
  };
  struct Portal {
    std::string sql;
    std::optional<std::string> parameter;
  };

  void on_message(const wire::Piece& piece);
  void on_query(std::string_view body);
  void on_parse(std::string_view body);
  void on_bind(std::string_view body);
  void on_describe(std::string_view body);
  void on_execute(std::string_view body);
  void on_close(std::string_view body);
  void on_copy_message(const wire::Piece& piece);
  void ready();
  void end_of_request();
  /// False: it failed.
  bool execute(const SimStatement& statement, const Portal* portal, bool describe);
  bool execute_session(const SimStatement& statement);
  bool execute_transaction(const SimStatement& statement);
  bool execute_prepared(const SimStatement& statement, bool describe);
  bool select(std::string_view value, bool describe);
  void drop_statements();
  void pin_check(const SimStatement& statement);
  bool may_run(const SimStatement& statement);
  void begin_implicit();
  void end_transaction(bool commit);
  void fail(std::string_view sqlstate, std::string_view message);
  bool fail_statement(std::string_view sqlstate, std::string_view message);
  void complete(std::string_view tag);
  void report_changes();

  const Settings defaults_;
  const bool standby_;
  wire::FrameCutter cutter_;
  std::string input_;
  std::string output_;
  wire::TxStatus status_ = wire::TxStatus::kIdle;
  bool implicit_ = false;  // Something ran outside of a transaction block since the last boundary.
  bool skipping_ = false;  // After an error in an extended message, up to Sync.
  bool copying_ = false;
  bool copy_refuses_rows_ = false;
  bool copy_by_query_ = false;
  size_t copied_ = 0;
  Values committed_;
  Values values_;
  bool read_only_ = false;  // The transaction.
  std::vector<Savepoint> savepoints_;
  Settings reported_;
  std::map<std::string, std::string> statements_;  // "": the unnamed one.
  std::map<std::string, Portal> portals_;
  std::vector<std::string> spent_portals_;
  std::set<std::string> listening_;
  std::set<std::string> listening_committed_;
};

}  // namespace fairlead::sim
