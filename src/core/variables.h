// A client's settings, with PostgreSQL's own transactional rules, so that any server can be given
// them (C2, C3, C5, C6, C24).
//
// The caller reports what the server CONFIRMED (CommandComplete), never what was merely sent, and
// each end of a transaction, also of an implicit one: SET in autocommit is on_set() and
// on_commit(). The rules are those of guc.c: a stack of prior values by nesting level, on which SET
// LOCAL hides what SET has done.
//
// fairlead.* is kept by the same rules and can be looked up, but is in no set that is for servers.
//
// Two things syntax does not tell. Reported parameters are taken from the server's reports (C1):
// on_reported(). Values that could not be read (set_config with a parameter) are unknown until they
// are read back: needs_read_back().
//
// Not undone by any RESET: a custom setting (app.tenant) that was set once on a connection reads as
// an empty string there, where on a fresh one it does not exist. PostgreSQL has the same after
// RESET and DISCARD ALL.
//
// Pure; one per client, on its worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/prepared_hash.h"
#include "core/variable_set.h"

namespace fairlead::core {

/// What one client can make us hold. PostgreSQL itself has some 360 settings; request-scoped claims
/// (app.jwt) run to some KiB.
struct VariableLimits {
  size_t settings_max = 1000;
  /// Of names and committed values. What a transaction may bring back is held beside them: four
  /// times as much.
  size_t bytes_max = 1u << 20;
  /// Savepoints in a row with one name count once: pgjdbc's autosave makes one for each statement.
  size_t savepoint_runs_max = 10'000;
};

class SessionVariables {
 public:
  /// `startup`: what the start-up packet asks for; RESET returns to it (C24). What is not kept or
  /// not replayed (variable_class()) is left out of it.
  explicit SessionVariables(HashKey key, VariableSet startup = {}, VariableLimits limits = {});

  void on_set(std::string_view name, Setting setting, SetScope scope);
  /// RESET name; SET [LOCAL] name TO DEFAULT.
  void on_reset(std::string_view name, SetScope scope = SetScope::kSession);
  void on_reset_all();
  void on_discard_all();

  void on_savepoint(std::string_view name);
  void on_rollback_to(std::string_view name);
  void on_release(std::string_view name);
  /// The transaction is over and was committed; also COMMIT AND CHAIN and PREPARE TRANSACTION.
  void on_commit();
  /// It is over and was not: ROLLBACK, or COMMIT answered with the tag ROLLBACK (B11), or an error
  /// in an implicit transaction, or the server is gone.
  void on_rollback();

  /// A ParameterStatus came that the client's own statements caused; to be told before the
  /// on_commit() or on_rollback() of the ReadyForQuery that follows it. `login_value` is what that
  /// server reported at its login. Names that are not session state are ignored.
  void on_reported(std::string_view name, std::string_view value, std::string_view login_value,
                   std::string_view client_encoding);

  /// What the start-up packet asked for, as far as it is kept.
  const VariableSet& startup() const { return startup_; }
  /// What a server must have when the client's next transaction begins.
  const VariableSet& committed() const { return committed_; }
  /// Whether a server has them already; if so both share their content from now on.
  bool share_if_equal(VariableSet& on_server);
  /// What the leased server has after a boundary: committed(), except that what a RESET has touched
  /// is unknown when the start-up packet sets it, so that the next replay_batch() makes it certain.
  VariableSet take_on_server();
  /// It has exactly what is noted of it: that batch was carried out, or it is another server.
  void on_server_certain() { uncertain_.clear(); }
  /// The value in force now, SET LOCAL included; null: the server's login default.
  const Setting* find(std::string_view name) const;
  /// Some fairlead.* was set once; else find() need not be asked for one.
  bool has_proxy_settings() const { return has_proxy_settings_; }
  /// parse_state_hash() of what is in force now.
  std::optional<uint64_t> parse_state() const { return parse_state_; }

  /// RESET gives the leased server its login default, the client's is the start-up packet's (C24):
  /// the SQL that makes up for it, in the same transaction if one is open, before the client's next
  /// statement and before it is told of this one's ReadyForQuery. Empty where none is needed.
  bool needs_follow_up() const { return !follow_ups_.empty(); }
  std::string take_follow_up();

  /// The committed settings whose value only the server knows: at the boundary, while the server is
  /// still leased, ask read_back_query() and give the one row to on_read_back(), NULL as nullopt.
  bool needs_read_back() const { return committed_.has_unknown(); }
  std::string read_back_query() const;
  void on_read_back(std::span<const std::optional<std::string_view>> values,
                    std::string_view client_encoding);

  /// A change could not be kept, for a limit or for its name: what the session has is not known any
  /// more. The caller closes the server and ends the session with 54000.
  bool lost() const { return lost_; }

  /// The open transaction has changed settings, so that its end may change them again.
  bool changes_open() const { return !tracked_.empty(); }

  /// Open savepoints.
  size_t savepoints() const { return savepoint_count_; }

 private:
  using Value = std::optional<Setting>;  // nullopt: as after RESET.
  enum class Change : uint8_t { kSet, kLocal, kSetLocal };
  /// What one nesting level did to one setting (PostgreSQL's struct guc_stack).
  struct Level {
    size_t nesting = 1;
    Change change = Change::kSet;
    Value prior;
    Value masked;  // kSetLocal: SET's value, hidden by SET LOCAL.
  };
  struct Tracked {
    std::string name;
    Value current;
    std::vector<Level> levels;  // Ascending by nesting, never empty.
  };
  struct SavepointRun {
    std::string name;
    size_t count = 0;
  };
  struct Savepoint {
    size_t run = 0;      // Index in savepoints_.
    size_t nesting = 0;  // That the newest savepoint of the run opened.
  };
  struct FollowUp {
    std::string name;
    SetScope scope;
    bool is_committed = false;  // What comes next cannot take the reset back.
  };

  static size_t bytes_of(const Tracked& tracked);
  static void push_prior(Tracked& tracked, size_t nesting, SetScope scope);
  static void commit_levels(Tracked& tracked, size_t nesting);
  static void roll_back_levels(Tracked& tracked, size_t nesting);

  bool may_add_name() const;
  size_t nesting() const { return 1 + savepoint_count_; }
  std::optional<Savepoint> find_savepoint(std::string_view name) const;
  Tracked* find_tracked(std::string_view name);
  const Tracked* find_tracked(std::string_view name) const;
  void change(std::string_view canonical_name, Value value, SetScope scope);
  void reset(std::string_view canonical_name, SetScope scope);
  void note_follow_up(std::string_view canonical_name, SetScope scope);
  void end_levels(size_t nesting, bool commit);
  void end_transaction(bool commit);
  void set_explicit(VariableSet variables);
  void update_parse_state();

  HashKey key_;
  VariableLimits limits_;
  VariableSet startup_;
  VariableSet explicit_;          // Committed, without the start-up settings; with fairlead.*.
  VariableSet committed_;         // Both, without fairlead.*.
  std::vector<Tracked> tracked_;  // What this transaction has touched.
  size_t tracked_bytes_ = 0;
  std::vector<SavepointRun> savepoints_;
  size_t savepoint_count_ = 0;
  std::vector<FollowUp> follow_ups_;
  std::vector<std::string> uncertain_;  // On the server, until on_server_certain().
  std::optional<uint64_t> parse_state_ = 0;
  bool has_proxy_settings_ = false;
  bool lost_ = false;
};

}  // namespace fairlead::core
