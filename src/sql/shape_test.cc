#include "sql/shape.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::sql {
namespace {

std::string shape(std::string_view text, LexOptions options = {},
                  LiteralPolicy policy = LiteralPolicy::kKeepInUtility) {
  Shape out;
  make_shape(text, options, policy, out);
  return std::string(out.text());
}

TEST(Shape, KeepsWhatDecidesAndDropsTheRest) {
  struct Case {
    const char* text;
    const char* expected;
  };
  const Case cases[] = {
      {"SELECT 1", "select ?"},
      {"  SELECT\n\t*  FROM T WHERE id = 7 -- x", "select * from t where id = ?"},
      {"SELECT /* a */ 'x''y', E'\\'', $$z$$, 1.5e3", "select ?, ?, ?, ?"},
      {"SELECT \"Q\", Q FROM \"t\"\"u\"", "select \"Q\", q from \"t\"\"u\""},
      {"SELECT $1, $22", "select $1, $22"},
      {"INSERT INTO t VALUES (1,'a'),(2,'b')", "insert into t values (?,?),(?,?)"},
      {"SELECT a=-1", "select a=- ?"},
      {"SELECT a[1:2]", "select a[? : ?]"},
      {"SELECT '1'::int", "select ? ::int"},
      {"SELECT a ? 'k', b ?| c", "select a ?? ?, b ??| c"},
      {"(SELECT 1) UNION SELECT 2", "(select ?) union select ?"},
      {"SELECT 'a'\n  'b'", "select ?"},
      {"WITH a AS (SELECT 1) SELECT", "with a as (select ?) select"},
      {"TABLE t", "table t"},
      {"VALUES (1)", "values (?)"},
      {"", ""},
      {"-- nothing", ""},
      {" ; ", ";"},
  };
  for (const Case& c : cases) EXPECT_EQ(shape(c.text), c.expected) << c.text;
}

TEST(Shape, KeepsTheLiteralsOfUtilityStatements) {
  struct Case {
    const char* text;
    const char* expected;
  };
  const Case cases[] = {
      {"SET app.tenant = 'Seven'", "set app.tenant = 'Seven'"},
      {"SET  Work_Mem TO 5 -- mega", "set work_mem to 5"},
      {"PREPARE p AS SELECT 'x'", "prepare p as select 'x'"},
      {"EXECUTE p(1)", "execute p(1)"},
      {"COPY t FROM '/tmp/F'", "copy t from '/tmp/F'"},
      {"DO $$ Body $$", "do $$ Body $$"},
      {"SELECT 1; SET x = 1; SELECT 2", "select ?; set x = 1; select ?"},
      {";;SET x = 1", ";;set x = 1"},
      {"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
       "create rule r as on insert to t do (select 1; select 2)"},
  };
  for (const Case& c : cases) EXPECT_EQ(shape(c.text), c.expected) << c.text;
}

TEST(Shape, IsTheSameForTextsThatMeanTheSame) {
  const std::pair<const char*, const char*> pairs[] = {
      {"SELECT 1", "select  'one'"},
      {"SELECT a FROM t WHERE b = 'x'", "select A from T\nwhere B = $q$y$q$"},
      {"SELECT 1 /* hint */", "/* other */ SELECT 2"},
      {"SELECT E'a'", "SELECT U&'b'"},
  };
  for (const auto& [a, b] : pairs) EXPECT_EQ(shape(a), shape(b)) << a << " | " << b;
}

// Each pair would be a wrong answer of the cache if it met.
TEST(Shape, DiffersWhereTheMeaningDiffers) {
  const std::pair<const char*, const char*> pairs[] = {
      {"SELECT \"A\"", "SELECT a"},
      {"SELECT $1", "SELECT 1"},
      {"SELECT $1", "SELECT $2"},
      {"SELECT a ? b", "SELECT a 5 b"},
      {"SELECT ? b", "SELECT 5 b"},
      {"SELECT a -? b", "SELECT a -5 b"},
      {"SELECT a ?? b", "SELECT a 5 5 b"},
      {"SELECT 'a''b'", "SELECT 'a' 'b'"},
      {"SELECT a b", "SELECT ab"},
      {"SELECT a/**/b", "SELECT ab"},
      {"SELECT n'x'", "SELECT n 'x'"},
      {"SELECT $$a$$", "SELECT $ $a$ $"},
      {"SET a = 1", "SET a = 2"},
      {"SET a = 'x'", "SET a = x"},
      {"SELECT 1; SELECT 2", "SELECT 1, SELECT 2"},
      {"SELECT a- -b", "SELECT a --b\n"},
      {"SELECT \"x\"\"y\"", "SELECT \"x\" \"y\""},
      {"SELECT a<b", "SELECT a< b"},  // Not needed; white space is kept as it is, that is all.
  };
  for (const auto& [a, b] : pairs) EXPECT_NE(shape(a), shape(b)) << a << " | " << b;
}

TEST(Shape, KeepsTheEscapeCharacterOfNames) {  // G1
  EXPECT_NE(shape("SELECT * FROM U&\"v!0031\" UESCAPE '#'"),
            shape("SELECT * FROM U&\"v!0031\" UESCAPE '!'"));
  EXPECT_NE(shape("SELECT 1 FROM U&\"a\"uescape'#'"), shape("SELECT 1 FROM U&\"a\"uescape'!'"));
  EXPECT_EQ(shape("SELECT my_uescape 'a'"), shape("SELECT my_uescape 'b'"));
}

TEST(Shape, SaysWhatTheTextHeldThatTheShapeLost) {
  Shape out;
  make_shape("SELECT 1", {}, LiteralPolicy::kKeepInUtility, out);
  EXPECT_FALSE(out.has_comment || out.has_utility || out.ambiguous_strings);
  EXPECT_TRUE(out.terminated);
  make_shape("SELECT 1 -- x", {}, LiteralPolicy::kKeepInUtility, out);
  EXPECT_TRUE(out.has_comment);
  make_shape("SELECT '/* x */'", {}, LiteralPolicy::kKeepInUtility, out);
  EXPECT_FALSE(out.has_comment);
  make_shape("SELECT 1; SHOW x", {}, LiteralPolicy::kKeepInUtility, out);
  EXPECT_TRUE(out.has_utility);
  make_shape("SELECT 'x", {}, LiteralPolicy::kKeepInUtility, out);
  EXPECT_FALSE(out.terminated);
  make_shape("SELECT 1 /* x", {}, LiteralPolicy::kKeepInUtility, out);
  EXPECT_FALSE(out.terminated);
  make_shape("SELECT 'a\\b'", {.standard_conforming_strings = false}, LiteralPolicy::kKeepInUtility,
             out);
  EXPECT_TRUE(out.ambiguous_strings);
  make_shape("SELECT 'a\\b'", {}, LiteralPolicy::kKeepInUtility, out);
  EXPECT_FALSE(out.ambiguous_strings);
}

TEST(Shape, LeavesNoLiteralWhenAllAreToBeDropped) {  // F54
  EXPECT_EQ(shape("ALTER ROLE a PASSWORD 'Secret'", {}, LiteralPolicy::kDropAll),
            "alter role a password ?");
  EXPECT_EQ(shape("DO $$ Secret $$", {}, LiteralPolicy::kDropAll), "do ?");
}

TEST(Shape, OfAnyTruncationStaysInItsBuffer) {
  const std::string all =
      "SELECT 1,'a''b'?5?|$$x$$-1 \"Q\" E'\\'' /* c */ ; SET x TO 'y' ; 5 6 'a''b' 'c'n'x'";
  Shape out;
  for (size_t size = 0; size <= all.size(); ++size) {
    const std::string text = all.substr(0, size);
    for (const auto policy : {LiteralPolicy::kKeepInUtility, LiteralPolicy::kDropAll}) {
      make_shape(text, {}, policy, out);
      ASSERT_LE(out.text().size(), 3 * size);
    }
  }
}

TEST(Shape, OfOnlyLiteralsAndOperatorsFitsTheWorstCase) {
  Shape out;
  for (const char* text : {"?", "??????", "5", "5'a'5'a'5'a'", "?5?5?5", "5a5a5a", "'''''", "5?"}) {
    make_shape(text, {}, LiteralPolicy::kDropAll, out);
    EXPECT_LE(out.text().size(), 3 * std::string_view(text).size()) << text;
  }
}

}  // namespace
}  // namespace fairlead::sql
