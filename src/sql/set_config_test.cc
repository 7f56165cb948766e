#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/classify.h"

namespace fairlead::sql {
namespace {

using Kind = SetConfigCall::Kind;
using Argument = SetConfigCall::Argument;
using testing::ElementsAre;
using testing::IsEmpty;

Argument literal(std::string text) { return {.kind = Kind::kLiteral, .text = std::move(text)}; }
Argument parameter(uint32_t number) { return {.kind = Kind::kParameter, .parameter = number}; }

SetConfigCall certain(Argument name, Argument value, Argument is_local) {
  return {std::move(name), std::move(value), std::move(is_local), 0, true};
}

TEST(SetConfig, ReadsLiteralsParametersAndNames) {
  EXPECT_THAT(extract_set_config("SELECT set_config('a.b', 'c', false)"),
              ElementsAre(certain(literal("a.b"), literal("c"), literal("false"))));
  EXPECT_THAT(extract_set_config("SELECT pg_catalog.set_config($1, $2::text, 't'::bool)"),
              ElementsAre(certain(parameter(1), parameter(2), literal("true"))));
  EXPECT_THAT(extract_set_config(
                  "SELECT set_config(is_local => true, new_value => 'v', setting_name => 'n')"),
              ElementsAre(certain(literal("n"), literal("v"), literal("true"))));
}

TEST(SetConfig, FindsEveryCall) {
  EXPECT_THAT(extract_set_config("SELECT set_config('a', '1', true), set_config('b', '2', true); "
                                 "SELECT 1 WHERE set_config('c', '3', false) = ''"),
              testing::SizeIs(3));
  EXPECT_THAT(extract_set_config("SELECT 'set_config(1)'"), IsEmpty());
}

TEST(SetConfig, SaysWhatItCannotKnow) {
  EXPECT_THAT(extract_set_config("SELECT set_config(a, b || 'x', NULL) FROM t"),
              ElementsAre(SetConfigCall{}));
  EXPECT_THAT(extract_set_config("SELECT set_config('a', 1::text, false)"),
              ElementsAre(certain(literal("a"), {}, literal("false"))));
  EXPECT_THAT(extract_set_config("SELEC set_config("), ElementsAre(SetConfigCall{}));
}

TEST(SetConfig, IsCertainOnlyWhereNothingDecidesWhetherTheCallIsMade) {
  for (const std::string_view text :
       {"SELECT set_config('a', '1', true), set_config('b', $1, false) AS b",
        "SELECT 1 FROM t; SELECT pg_catalog.set_config('a', '1', true)"})
    for (const SetConfigCall& call : extract_set_config(text)) EXPECT_TRUE(call.is_certain) << text;
  for (const std::string_view text :
       {"SELECT set_config('a', '1', true) FROM t", "SELECT set_config('a', '1', true) WHERE $1",
        "SELECT set_config('a', '1', true) LIMIT 0", "SELECT set_config('a', '1', true) OFFSET 1",
        "SELECT set_config('a', '1', true) HAVING false",
        "SELECT set_config('a', '1', true) UNION SELECT '2'",
        "SELECT CASE WHEN $1 THEN set_config('a', '1', true) END",
        "SELECT coalesce($1, set_config('a', '1', true))",
        "SELECT set_config('a', '1', true), generate_series(1, 0)",
        "SELECT set_config('a', set_config('a', '1', true), true)",
        "WITH c AS (SELECT set_config('a', '1', true)) SELECT 1",
        "SELECT set_config('a', '1', true) FROM (SELECT set_config('b', '1', true)) s",
        "VALUES (set_config('a', '1', true))",
        "DECLARE c CURSOR FOR SELECT set_config('a', '1', true)",
        "CREATE VIEW v AS SELECT set_config('a', '1', true)",
        "PREPARE p AS SELECT set_config('a', '1', true)",
        "EXPLAIN ANALYZE SELECT set_config('a', '1', true)"})
    for (const SetConfigCall& call : extract_set_config(text))
      EXPECT_FALSE(call.is_certain) << text;
}

}  // namespace
}  // namespace fairlead::sql
