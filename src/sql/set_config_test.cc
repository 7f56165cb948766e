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

TEST(SetConfig, ReadsLiteralsParametersAndNames) {
  EXPECT_THAT(extract_set_config("SELECT set_config('a.b', 'c', false)"),
              ElementsAre(SetConfigCall{literal("a.b"), literal("c"), literal("false")}));
  EXPECT_THAT(extract_set_config("SELECT pg_catalog.set_config($1, $2::text, 't'::bool)"),
              ElementsAre(SetConfigCall{parameter(1), parameter(2), literal("true")}));
  EXPECT_THAT(extract_set_config(
                  "SELECT set_config(is_local => true, new_value => 'v', setting_name => 'n')"),
              ElementsAre(SetConfigCall{literal("n"), literal("v"), literal("true")}));
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
              ElementsAre(SetConfigCall{literal("a"), {}, literal("false")}));
  EXPECT_THAT(extract_set_config("SELEC set_config("), ElementsAre(SetConfigCall{}));
}

}  // namespace
}  // namespace fairlead::sql
