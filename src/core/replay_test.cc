#include "core/replay.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::core {
namespace {

Setting value(std::string_view text) { return Setting::from_value(text, "UTF8"); }

std::string replay(const VariableSet& has, const VariableSet& wants) {
  auto batch = replay_batch(has, wants);
  EXPECT_TRUE(batch) << describe(batch.error());
  return batch.value_or("");
}

TEST(ReplayBatch, IsEmptyForEqualSettings) {
  EXPECT_EQ(replay({}, {}), "");
  const VariableSet set({{"app.x", value("1")}});
  EXPECT_EQ(replay(set, VariableSet({{"app.x", value("1")}})), "");
}

// C3: what the last client has set and this one has not goes away.
TEST(ReplayBatch, ResetsWhatOnlyTheServerHasAndSetsTheRest) {
  const VariableSet has({{"app.tenant", value("a")}, {"work_mem", value("1MB")}});
  const VariableSet wants({{"statement_timeout", value("5s")}, {"work_mem", value("2MB")}});
  EXPECT_EQ(replay(has, wants),
            "RESET \"app\".\"tenant\";SET \"statement_timeout\" TO '5s';SET \"work_mem\" TO "
            "'2MB';");
}

// C6.
TEST(ReplayBatch, LeavesTheRoleFirstAndTakesItLast) {
  const VariableSet has(
      {{"app.x", value("1")}, {"role", value("a")}, {"session_authorization", value("u")}});
  const VariableSet wants({{"app.x", value("2")},
                           {"role", value("b")},
                           {"session_authorization", value("v")},
                           {"work_mem", value("1MB")}});
  EXPECT_EQ(replay(has, wants),
            "RESET \"role\";RESET \"session_authorization\";"
            "SET \"app\".\"x\" TO '2';SET \"work_mem\" TO '1MB';"
            "SET \"session_authorization\" TO 'v';SET \"role\" TO 'b';");
  EXPECT_EQ(replay(has, {}), "RESET \"role\";RESET \"session_authorization\";RESET \"app\".\"x\";");
}

// Else work_mem would be set with the rights of the role, which may not be enough.
TEST(ReplayBatch, LeavesTheRoleEvenWhenItStaysTheSame) {
  const VariableSet has({{"role", value("a")}});
  EXPECT_EQ(replay(has, has.with("log_statement", value("all"))),
            "RESET \"role\";SET \"log_statement\" TO 'all';SET \"role\" TO 'a';");
}

TEST(ReplayBatch, LetsNoValueEndItsLiteral) {
  const VariableSet wants({{"app.a", value("'; DROP TABLE t; --")},
                           {"app.b", value("\\'; DROP TABLE t; --")},
                           {"app.c", value("\\")}});
  EXPECT_EQ(replay({}, wants),
            "SET \"app\".\"a\" TO '''; DROP TABLE t; --';"
            "SET \"app\".\"b\" TO E'\\\\''; DROP TABLE t; --';"
            "SET \"app\".\"c\" TO E'\\\\';");
}

TEST(ReplayBatch, IsAsciiWhateverTheEncodingOfAValue) {
  EXPECT_EQ(replay({}, VariableSet({{"app.x", Setting::from_value("\xbf\\'", "GBK")}})),
            "SELECT pg_catalog.set_config('app.x',pg_catalog.convert_from(pg_catalog.decode("
            "'bf5c27','hex'),'GBK'),false);");
}

TEST(ReplayBatch, WritesANameListAsItsItems) {
  EXPECT_EQ(replay({}, VariableSet({{"search_path", value("\"$user\", public")}})),
            "SET \"search_path\" TO '$user','public';");
  // SET cannot say these.
  EXPECT_EQ(replay({}, VariableSet({{"search_path", value("")}})),
            "SELECT pg_catalog.set_config('search_path','',false);");
  EXPECT_EQ(replay({}, VariableSet({{"search_path", value("a,b")}})),
            "SELECT pg_catalog.set_config('search_path','a,b',false);");
  EXPECT_EQ(replay({}, VariableSet({{"datestyle", value("ISO, MDY")}})),
            "SET \"datestyle\" TO 'ISO, MDY';");
}

TEST(ReplayBatch, OverwritesWhatIsNotKnownOfTheServer) {
  const VariableSet has({{"app.x", Setting::unknown()}, {"app.y", Setting::unknown()}});
  EXPECT_EQ(replay(has, VariableSet({{"app.x", value("1")}})),
            "RESET \"app\".\"y\";SET \"app\".\"x\" TO '1';");
}

TEST(ReplayBatch, RefusesToGuessWhatTheClientWants) {
  const auto batch = replay_batch(VariableSet(), VariableSet({{"app.x", Setting::unknown()}}));
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace fairlead::core
