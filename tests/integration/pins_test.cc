// The check of pins and the cleanup of servers on a real PostgreSQL.
#include "core/pins.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "integration/psql_script.h"

namespace fairlead::core {
namespace {

/// What the server finds after `sql`, in a session of its own; "(failed)" when the check failed.
std::string found_after(const std::string& sql) {
  const auto lines = test::run_psql(
      test::test_database(), "SET client_min_messages = error;\n" + sql + "\n\\echo check\n" +
                                 check_query(kVerifiablePins) + ";\n");
  if (!lines || lines->size() < 2 || (*lines)[lines->size() - 2] != "check") return "(failed)";
  std::array<std::string_view, 6> columns;
  const std::string& row = lines->back();
  if (row.size() < 11) return "(failed) " + row;
  for (size_t i = 0; i < 5; ++i) columns[i] = std::string_view(row).substr(2 * i, 1);
  columns[5] = std::string_view(row).substr(10);
  const auto check = parse_check_row(columns);
  if (!check) return "(failed) " + row;
  const std::string count = check->statements ? std::to_string(*check->statements) : "?";
  return to_string(check->found) + (count == "0" ? "" : " and " + count + " statements");
}

struct Scenario {
  std::string_view sql;
  std::string_view found;
};

TEST(CheckOnARealServer, FindsExactlyWhatIsHeld) {
  static constexpr std::array kScenarios{
      Scenario{"", ""},
      Scenario{"LISTEN a;", "listen"},
      Scenario{"BEGIN; LISTEN a; ROLLBACK;", ""},
      Scenario{"LISTEN a; LISTEN b; UNLISTEN a;", "listen"},
      Scenario{"LISTEN a; UNLISTEN *;", ""},
      Scenario{"BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT;", "hold_cursor"},
      Scenario{"BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; ROLLBACK;", ""},
      Scenario{"BEGIN; DECLARE c CURSOR FOR SELECT 1; COMMIT;", ""},
      Scenario{"BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT; CLOSE c;", ""},
      Scenario{"SELECT pg_advisory_lock(1);", "advisory_lock"},
      Scenario{"SELECT pg_advisory_lock_shared(1, 2);", "advisory_lock"},
      Scenario{"BEGIN; SELECT pg_advisory_lock(1); ROLLBACK;", "advisory_lock"},
      Scenario{"BEGIN; SELECT pg_advisory_xact_lock(1); COMMIT;", ""},
      Scenario{"SELECT pg_advisory_lock(1), pg_advisory_lock(1); SELECT pg_advisory_unlock(1);",
               "advisory_lock"},
      Scenario{"SELECT pg_advisory_lock(1); SELECT pg_advisory_unlock(1);", ""},
      Scenario{"PREPARE fl_1 AS SELECT 1; PREPARE fl_preparing AS SELECT 1;", " and 1 statements"},
      Scenario{"PREPARE fl_1 AS SELECT 1; DO 'BEGIN DEALLOCATE ALL; END';", ""},
      Scenario{"CREATE TEMP TABLE t (i int);", "temp_object"},
      Scenario{"CREATE TEMP TABLE t (i int); DROP TABLE t;", ""},
      Scenario{"BEGIN; CREATE TEMP TABLE t (i int) ON COMMIT DROP; COMMIT;", ""},
      Scenario{"CREATE TEMP TABLE t (i int) ON COMMIT DELETE ROWS;", "temp_object"},
      Scenario{"SELECT 1 INTO TEMP t;", "temp_object"},
      Scenario{"CREATE TEMP SEQUENCE s;", "temp_object"},
      Scenario{"CREATE TEMP VIEW v AS SELECT 1;", "temp_object"},
      Scenario{"CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1';",
               "temp_object"},
      Scenario{"CREATE TYPE pg_temp.e AS ENUM ('a');", "temp_object"},
      Scenario{"CREATE DOMAIN pg_temp.d AS int;", "temp_object"},
      Scenario{"CREATE TYPE pg_temp.c AS (i int);", "temp_object"},
      Scenario{"PREPARE p AS SELECT 1;", "sql_prepare"},
      Scenario{"PREPARE p AS SELECT 1; DEALLOCATE p;", ""},
      Scenario{"PREPARE fl_0123456789abcdef0123456789abcdef AS SELECT 1;", " and 1 statements"},
      Scenario{"LISTEN a; SELECT pg_advisory_lock(1); CREATE TEMP TABLE t (i int); PREPARE p AS "
               "SELECT 1;",
               "listen, advisory_lock, temp_object, sql_prepare"},
  };
  for (const auto& [sql, found] : kScenarios)
    EXPECT_EQ(found_after(std::string(sql)), found) << sql;
}

TEST(CheckOnARealServer, WorksForEveryRoleAndSearchPath) {
  const std::string setup =
      "DROP SCHEMA IF EXISTS fl_evil CASCADE; DROP ROLE IF EXISTS fl_test_c;\n"
      "CREATE ROLE fl_test_c; CREATE SCHEMA fl_evil;\n"
      "CREATE FUNCTION fl_evil.no(text, text) RETURNS bool LANGUAGE sql AS 'SELECT false';\n"
      "CREATE OPERATOR fl_evil.= (FUNCTION = fl_evil.no, LEFTARG = text, RIGHTARG = text);\n"
      "CREATE FUNCTION fl_evil.pg_backend_pid() RETURNS int LANGUAGE sql AS 'SELECT 0';\n"
      "GRANT USAGE ON SCHEMA fl_evil TO fl_test_c;\n";
  EXPECT_EQ(found_after(setup + "SELECT pg_advisory_lock(1); CREATE TEMP TABLE t (i int);"
                                "SET ROLE fl_test_c; SET search_path = fl_evil, pg_catalog;"),
            "advisory_lock, temp_object");
}

TEST(CleanupOnARealServer, LeavesNothingOfTheClientBehind) {
  const std::string sql =
      "LISTEN a; SELECT pg_advisory_lock(1); CREATE TEMP TABLE t (i int); PREPARE p AS SELECT 1;"
      "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT;\n";
  EXPECT_EQ(found_after(sql + std::string(kDiscardAll) + ";"), "");
}

TEST(CleanupOnARealServer, ResetsSettingsAndSequencesAndKeepsStatements) {
  // Not quiet: psql then prints the command tags.
  std::string batch;
  for (const char c : kResetSettings) batch += c == ';' ? std::string("\\;") : std::string(1, c);
  const auto lines = test::run_psql(
      test::test_database(),
      "SET client_min_messages = error; DROP SEQUENCE IF EXISTS fl_s; CREATE SEQUENCE fl_s;\n"
      "SELECT nextval('fl_s'); PREPARE fl_p AS SELECT 'still here';\n"
      "SET work_mem = '7MB'; SET ROLE pg_monitor;\n\\set QUIET off\n" +
          batch +
          ";\n\\set QUIET on\nSELECT current_setting('work_mem') <> '7MB', current_user = "
          "session_user;\n"
          "EXECUTE fl_p; SELECT 'lastval ' || lastval();\nDROP SEQUENCE fl_s;\n");
  ASSERT_TRUE(lines);
  const std::vector<std::string> expected{"1", "RESET", "RESET",     "RESET", "DISCARD SEQUENCES",
                                          "",  "t|t",   "still here"};
  EXPECT_EQ(*lines, expected);
}

}  // namespace
}  // namespace fairlead::core
