// Random sessions of many clients on ONE real server connection, with the settings replayed between
// them: at every step the server must have in force what SessionVariables says, and no client may
// meet anything of the one before it.
#include "core/replay.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "core/variable_names.h"
#include "core/variables.h"
#include "integration/psql_script.h"

namespace fairlead::core {
namespace {

constexpr std::array kNames{"app.tenant",
                            "app.claims",
                            "search_path",
                            "statement_timeout",
                            "application_name",
                            "default_transaction_isolation",
                            "timezone",
                            "role",
                            "session_authorization"};
constexpr size_t kFreeNames = 7;  // The last two have fixed values.

/// What is written after TO, as clients write it, without anything that the server would refuse.
constexpr std::array<std::array<const char*, 5>, kNames.size()> kArguments{{
    {"'a'", "$$b'\\$$", "E'c\\\\d\\'e\\n'", "Word", "''"},
    {"'{\"sub\":\"1\"}'", "-12", "007", "1.50", "'\\\xc3\xa9'"},
    {"tenant_a, \"$user\"", "'B', 'c d', 'e\"f'", "''", "public", "'x, y'"},
    {"'5s'", "'1min'", "'10ms'", "'7s'", "'9s'"},
    {"'x'", "\"Y z\"", "on", "'it''s'", "'w'"},
    {"'repeatable read'", "serializable", "'read committed'", "\"read uncommitted\"",
     "'serializable'"},
    {"'Asia/Tokyo'", "'Europe/Zurich'", "'UTC'", "'Africa/Cairo'", "'America/Lima'"},
    {"fl_test_b", "none", "'fl_test_b'", "\"fl_test_b\"", "NONE"},
    {"fl_test_a", "'fl_test_a'", "postgres", "\"fl_test_a\"", "'postgres'"},
}};

/// Writes the script and, for each probe in it, what the model expects of it.
class Walk {
 public:
  explicit Walk(uint32_t seed) : random_(seed) { probe(SessionVariables({})); }

  void client() {
    VariableSet startup;
    for (size_t i = 0; i < kFreeNames; ++i)
      if (upto(3) == 0) startup = startup.with(kNames[i], setting(i, upto(4)));
    SessionVariables session({.low = 1, .high = 2}, startup);
    const auto batch = replay_batch(on_server_, session.committed());
    ASSERT_TRUE(batch);
    sql(*batch);
    probe(session);
    for (size_t transactions = 1 + upto(4); transactions-- > 0;) transaction(session);
    on_server_ = session.take_on_server();
  }

  const std::string& script() const { return script_; }
  const std::vector<std::string>& expected() const { return expected_; }

 private:
  size_t upto(size_t n) { return std::uniform_int_distribution<size_t>(0, n)(random_); }

  static Setting setting(size_t name, size_t argument) {
    return Setting::from_argument(kNames[name], kArguments[name][argument], {});
  }

  /// psql takes a batch as one Query when its parts are joined by "\;".
  void sql(std::string text) {
    if (text.empty()) return;
    std::string one_query;
    bool quoted = false;
    for (size_t i = 0; i + 1 < text.size(); ++i) {
      // In our literals a backslash is always doubled and a quote too.
      if (text[i] == '\'') quoted = !quoted;
      if (text[i] == ';' && !quoted) one_query += '\\';
      one_query += text[i];
    }
    script_ += one_query + ";\n";
  }

  void probe(const SessionVariables& session) {
    script_ += "SELECT 'probe " + std::to_string(expected_.size()) + "'";
    std::string expected;
    for (const char* name : kNames) {
      script_ +=
          std::string(",replace(coalesce(current_setting('") + name + "',true),''),E'\\n','~')";
      const Setting* setting = session.find(name);
      // What a fresh session has is in the first row.
      std::string value = setting ? setting->text() : "(default)";
      for (char& c : value)
        if (c == '\n') c = '~';
      expected += "|" + value;
    }
    script_ += ";\n";
    expected_.push_back(expected);
  }

  void change(SessionVariables& session, bool in_block) {
    const size_t name = upto(kNames.size() - 1);
    const SetScope scope = in_block && upto(1) ? SetScope::kLocal : SetScope::kSession;
    const std::string set = scope == SetScope::kLocal ? "SET LOCAL " : "SET ";
    switch (upto(9)) {
      case 0:
        script_ += std::string("RESET ") + kNames[name] + ";\n";
        session.on_reset(kNames[name]);
        break;
      case 1:
        script_ += set + kNames[name] + " TO DEFAULT;\n";
        session.on_reset(kNames[name], scope);
        break;
      case 2:
        script_ += "RESET ALL;\n";
        session.on_reset_all();
        break;
      case 3: {  // Only where a value is not a list of arguments.
        const std::string value = "v" + std::to_string(upto(9));
        const size_t custom = upto(2);
        script_ += std::string("SELECT set_config('") + kNames[custom] + "','" + value + "'," +
                   (scope == SetScope::kLocal ? "true" : "false") + ");\n";
        session.on_set(kNames[custom], Setting::from_value(value, "UTF8"), scope);
        break;
      }
      default: {
        const size_t argument = upto(4);
        script_ += set + kNames[name] + " TO " + kArguments[name][argument] + ";\n";
        session.on_set(kNames[name], setting(name, argument), scope);
      }
    }
    sql(session.take_follow_up());
  }

  void transaction(SessionVariables& session) {
    switch (upto(5)) {
      case 0:  // Alone.
        change(session, false);
        session.on_commit();
        break;
      case 1: {  // One Query that fails at its end.
        const size_t name = upto(kFreeNames - 1);
        script_ +=
            std::string("SET ") + kNames[name] + " TO " + kArguments[name][0] + "\\; SELECT 1/0;\n";
        session.on_set(kNames[name], setting(name, 0), SetScope::kSession);
        session.on_rollback();
        break;
      }
      case 2:
        script_ += "DISCARD ALL;\n";
        session.on_discard_all();
        sql(session.take_follow_up());
        session.on_commit();
        break;
      default:
        block(session);
    }
    probe(session);
  }

  void block(SessionVariables& session) {
    script_ += "BEGIN;\n";
    std::vector<std::string> savepoints;
    for (size_t steps = upto(12); steps-- > 0;) {
      switch (savepoints.empty() ? upto(6) : upto(9)) {
        case 0: {
          savepoints.emplace_back(upto(1) ? "p" : "q");
          script_ += "SAVEPOINT " + savepoints.back() + ";\n";
          session.on_savepoint(savepoints.back());
          break;
        }
        case 7: {
          const std::string name = savepoints[upto(savepoints.size() - 1)];
          if (upto(1)) script_ += "SELECT 1/0;\n";
          script_ += "ROLLBACK TO " + name + ";\n";
          session.on_rollback_to(name);
          while (savepoints.back() != name) savepoints.pop_back();
          break;
        }
        case 8: {
          const std::string name = savepoints[upto(savepoints.size() - 1)];
          script_ += "RELEASE " + name + ";\n";
          session.on_release(name);
          while (savepoints.back() != name) savepoints.pop_back();
          savepoints.pop_back();
          break;
        }
        default:
          change(session, true);
      }
      probe(session);
    }
    switch (upto(2)) {
      case 0:
        script_ += "ROLLBACK;\n";
        session.on_rollback();
        break;
      case 1:
        script_ += "SELECT 1/0; COMMIT;\n";
        session.on_rollback();  // The tag is ROLLBACK (B11).
        break;
      default:
        script_ += "COMMIT;\n";
        session.on_commit();
    }
  }

  std::mt19937 random_;
  VariableSet on_server_;
  std::string script_;
  std::vector<std::string> expected_;
};

constexpr std::string_view kSetup =
    "SET client_min_messages = error;\n"
    "DROP ROLE IF EXISTS fl_test_a; DROP ROLE IF EXISTS fl_test_b;\n"
    "CREATE ROLE fl_test_a; CREATE ROLE fl_test_b; GRANT fl_test_b TO fl_test_a;\n"
    "\\c\n";

std::vector<std::string> split(const std::string& row) {
  std::vector<std::string> fields(1);
  for (const char c : row) {
    if (c == '|') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

TEST(ReplayOnARealServer, GivesEveryClientItsOwnSettingsAndNobodyElses) {
  const char* fixed = std::getenv("FAIRLEAD_TEST_SEED");
  const uint32_t first = fixed ? static_cast<uint32_t>(std::atoi(fixed)) : 1;
  const uint32_t last = fixed ? first : 10;
  for (uint32_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("FAIRLEAD_TEST_SEED=" + std::to_string(seed));
    Walk walk(seed);
    for (int client = 0; client < 15; ++client) walk.client();
    const auto lines = test::run_psql(test::test_database(), std::string(kSetup) + walk.script());
    ASSERT_TRUE(lines) << "psql failed";

    std::vector<std::vector<std::string>> rows;
    for (const std::string& line : *lines)
      if (line.starts_with("probe ")) rows.push_back(split(line));
    ASSERT_EQ(rows.size(), walk.expected().size());
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto expected = split(walk.expected()[i]);
      ASSERT_EQ(rows[i].size(), expected.size());
      for (size_t field = 1; field < expected.size(); ++field) {
        const bool is_default = expected[field] == "(default)";
        EXPECT_EQ(rows[i][field], is_default ? rows[0][field] : expected[field])
            << rows[i][0] << " " << kNames[field - 1];
      }
      if (HasFailure()) {
        if (fixed) std::fputs(walk.script().c_str(), stderr);
        return;
      }
    }
  }
}

}  // namespace
}  // namespace fairlead::core
