#include "sql/function_source.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fairlead::sql {
namespace {

TEST(FunctionSource, FindsCallsThatChangeTheSession) {  // C4
  for (const char* source :
       {"BEGIN PERFORM set_config('app.tenant', '42', false); END",
        "SELECT pg_catalog.Set_Config('a.b', $1, false)", "SELECT pg_try_advisory_lock(1)",
        "SELECT \"pg_advisory_lock\"(1)", "SELECT (1).pg_advisory_lock_shared",
        "SELECT query_to_xml($1, true, true, '')", "SELECT U&\"s\\0065t_config\"('a.b', '', false)",
        "SELECT dblink_connect('x')", "BEGIN PERFORM setseed(0.5); END"})
    EXPECT_TRUE(read_source(source).changes_session) << source;
  for (const char* source :
       {"BEGIN RETURN current_setting('app.tenant'); END", "SELECT pg_advisory_xact_lock(1)",
        "SELECT 'set_config' /* set_config */ -- set_config", "UPDATE t SET a = nextval('s')"})
    EXPECT_FALSE(read_source(source).changes_session) << source;
}

TEST(FunctionSource, FindsCommandsThatLeaveSomethingBehind) {  // C4
  for (const char* source : {"BEGIN SET ROLE a; END",
                             "BEGIN\n-- why\nset a.b = 1; END",
                             "SET a.b = 1",
                             "; SET a.b = 1",
                             "BEGIN IF a THEN SET a.b = 1; ELSE SET a.b = 2; END IF; END",
                             "BEGIN LOOP SET a.b = 1; END LOOP; END",
                             "<<a>> SET a.b = 1",
                             "BEGIN EXECUTE a; END",
                             "BEGIN RETURN QUERY EXECUTE a USING b; END",
                             "BEGIN LISTEN a; END",
                             "CREATE TEMP TABLE a (b int)",
                             "SELECT 1 INTO TEMPORARY a",
                             "BEGIN RESET a.b; END",
                             "DECLARE a CURSOR WITH HOLD FOR SELECT 1",
                             "DO $$ BEGIN SET ROLE a; END $$",
                             "DO LANGUAGE plpgsql 'BEGIN SET ROLE a; END'",
                             "LOAD 'a'",
                             "BEGIN DISCARD ALL; END",
                             "PREPARE a AS SELECT 1",
                             "INSERT INTO pg_temp_3.a VALUES (1)",
                             "SELECT 'a"})
    EXPECT_TRUE(read_source(source).may_run_anything) << source;
  for (const char* source :
       {"UPDATE t SET a = 1", "UPDATE t AS u SET a = 1", "UPDATE \"T\" SET a = 1",
        "UPDATE ONLY (t) SET a = 1", "UPDATE t * SET a = 1",
        "INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 1",
        "INSERT INTO t VALUES ('x') ON CONFLICT DO NOTHING", "SELECT 'SET ROLE a'",
        "BEGIN RAISE NOTICE 'execute %', a; RETURN a; END"})
    EXPECT_FALSE(read_source(source).may_run_anything) << source;
}

TEST(FunctionSource, NamesAllThatItMentions) {
  const auto names = read_source("SELECT S.Helper(a) + \"Other\"(b) ### 'text' FROM t").names;
  for (const char* name : {"helper", "other", "t", "a", "###"})
    EXPECT_TRUE(std::ranges::binary_search(names, name)) << name;
  EXPECT_FALSE(std::ranges::binary_search(names, "text"));
}

}  // namespace
}  // namespace fairlead::sql
