#include "core/prepared_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace fairlead::core {
namespace {

constexpr HashKey kServerKey{.low = 3, .high = 4};

PreparedStatement with_text(std::string_view query) {
  return {kServerKey, PreparedKind::kProtocol, query, ""};
}

/// Uses a statement and lets the server answer everything.
PreparedPlan use(ServerStatements& server, const PreparedStatement& statement,
                 uint64_t parse_state = 0) {
  const PreparedPlan plan = server.plan_use(statement, parse_state);
  if (plan.close) server.on_close_complete();
  if (plan.parse) server.on_parse_complete();
  return plan;
}

TEST(ServerStatements, ParsesAStatementOnceAndThenUsesIt) {
  ServerStatements server(kServerKey);
  const auto one = with_text("one");
  const PreparedPlan first = use(server, one);
  EXPECT_TRUE(first.parse);
  EXPECT_FALSE(first.close);
  server.on_boundary();
  EXPECT_EQ(use(server, one), (PreparedPlan{.key = first.key, .parse = false, .close = {}}));
}

TEST(ServerStatements, GivesAStatementTheSameNameOnEveryServer) {
  const ServerStatements a(kServerKey);
  const ServerStatements b(kServerKey, 7);
  EXPECT_EQ(a.key_of(with_text("one"), 5), b.key_of(with_text("one"), 5));
  const ServerStatements other_process({.low = 8, .high = 8});
  EXPECT_NE(a.key_of(with_text("one"), 5), other_process.key_of(with_text("one"), 5));
}

// C10: pgdog and others shared plans between search paths.
TEST(ServerStatements, ParsesTheSameTextAgainUnderAnotherParseState) {
  ServerStatements server(kServerKey);
  const auto one = with_text("SELECT * FROM orders");
  const PreparedKey tenant_a = use(server, one, 1).key;
  const PreparedPlan tenant_b = use(server, one, 2);
  EXPECT_TRUE(tenant_b.parse);
  EXPECT_NE(tenant_b.key, tenant_a);
  EXPECT_FALSE(use(server, one, 1).parse);
}

TEST(ServerStatements, UsesAStatementWhoseParseIsStillOnItsWay) {
  ServerStatements server(kServerKey);
  const auto one = with_text("one");
  EXPECT_TRUE(server.plan_use(one, 0).parse);
  EXPECT_FALSE(server.plan_use(one, 0).parse);
}

// F22.
TEST(ServerStatements, KnowsThatASkippedParseDidNotHappen) {
  ServerStatements server(kServerKey);
  const auto one = with_text("one");
  const auto two = with_text("two");
  const PreparedKey key_one = server.plan_use(one, 0).key;
  const PreparedKey key_two = server.plan_use(two, 0).key;
  server.on_parse_complete();
  server.on_error_skip();
  EXPECT_TRUE(server.has(key_one));
  EXPECT_FALSE(server.has(key_two));
  EXPECT_TRUE(server.plan_use(two, 0).parse);
}

TEST(ServerStatements, ClosesTheLeastRecentlyUsedBeforeTheNewParse) {  // C12e
  ServerStatements server(kServerKey, 2);
  const auto one = with_text("one");
  const auto two = with_text("two");
  const PreparedKey key_one = use(server, one).key;
  const PreparedKey key_two = use(server, two).key;
  server.on_boundary();
  use(server, one);
  server.on_boundary();
  const PreparedPlan plan = use(server, with_text("three"));
  EXPECT_EQ(plan.close, key_two);
  EXPECT_TRUE(plan.parse);
  EXPECT_TRUE(server.has(key_one));
  EXPECT_EQ(server.size(), 2u);
}

// Otherwise the next Parse of that name would be 42P05.
TEST(ServerStatements, KnowsThatASkippedCloseDidNotHappen) {
  ServerStatements server(kServerKey, 1);
  const PreparedKey key_one = use(server, with_text("one")).key;
  server.on_boundary();
  const PreparedPlan plan = server.plan_use(with_text("two"), 0);
  ASSERT_EQ(plan.close, key_one);
  EXPECT_FALSE(server.has(key_one));
  server.on_error_skip();
  EXPECT_TRUE(server.has(key_one));
  EXPECT_FALSE(server.has(plan.key));
  EXPECT_FALSE(server.plan_use(with_text("one"), 0).parse);
}

TEST(ServerStatements, KeepsAConfirmedCloseWhenTheParseBehindItFails) {
  ServerStatements server(kServerKey, 1);
  const PreparedKey key_one = use(server, with_text("one")).key;
  server.on_boundary();
  server.plan_use(with_text("two"), 0);
  server.on_close_complete();
  server.on_error_skip();
  EXPECT_FALSE(server.has(key_one));
  EXPECT_EQ(server.size(), 0u);
}

TEST(ServerStatements, NeverClosesWhatTheTransactionHasUsed) {
  ServerStatements server(kServerKey, 2);
  const std::vector<std::string> names{"one", "two", "three", "four"};
  for (const auto& name : names) EXPECT_FALSE(use(server, with_text(name)).close) << name;
  EXPECT_EQ(server.size(), 4u);
  server.on_boundary();

  // And then gets back to its capacity.
  const auto five = with_text("five");
  EXPECT_TRUE(use(server, five).close);
  EXPECT_EQ(server.size(), 4u);
  EXPECT_TRUE(use(server, five).close);
  EXPECT_TRUE(use(server, five).close);
  EXPECT_EQ(server.size(), 2u);
  EXPECT_FALSE(use(server, five).close);
}

// C11.
TEST(ServerStatements, ClosesAndParsesAgainWhatCannotBeReplanned) {
  ServerStatements server(kServerKey);
  const auto one = with_text("SELECT * FROM changed");
  const PreparedKey key = use(server, one).key;
  server.poison_all();
  EXPECT_FALSE(server.has(key));
  server.on_boundary();
  EXPECT_EQ(use(server, one), (PreparedPlan{.key = key, .parse = true, .close = key}));
  EXPECT_FALSE(use(server, one).parse);
}

TEST(ServerStatements, StaysPoisonedWhenTheRepairWasSkipped) {
  ServerStatements server(kServerKey);
  const auto one = with_text("SELECT * FROM changed");
  const PreparedKey key = use(server, one).key;
  server.poison_all();
  server.plan_use(one, 0);
  server.on_error_skip();
  EXPECT_EQ(server.plan_use(one, 0), (PreparedPlan{.key = key, .parse = true, .close = key}));
  server.on_close_complete();
  server.on_error_skip();
  EXPECT_EQ(server.plan_use(one, 0), (PreparedPlan{.key = key, .parse = true, .close = {}}));
}

TEST(ServerStatements, ForgetsEverythingAfterDiscardAll) {
  ServerStatements server(kServerKey);
  const auto one = with_text("one");
  const PreparedKey key = use(server, one).key;
  server.on_boundary();
  server.forget_all();
  EXPECT_FALSE(server.has(key));
  EXPECT_TRUE(use(server, one).parse);
}

TEST(ServerStatements, KeepsOnlyWhatWasSentBehindADiscardAll) {  // C12b
  ServerStatements server(kServerKey);
  const PreparedKey before = use(server, with_text("before")).key;
  use(server, with_text("both"));
  server.poison_all();  // DISCARD ALL is sent.
  const PreparedPlan again = server.plan_use(with_text("both"), 0);
  EXPECT_EQ(again, (PreparedPlan{.key = again.key, .parse = true, .close = again.key}));
  EXPECT_TRUE(server.plan_use(with_text("new"), 0).parse);
  server.on_all_dropped();
  EXPECT_FALSE(server.has(before));
  EXPECT_EQ(server.size(), 2u);
  server.on_close_complete();
  server.on_parse_complete();
  server.on_error_skip();
  EXPECT_EQ(server.size(), 1u);
  EXPECT_FALSE(use(server, with_text("both")).parse);
  EXPECT_EQ(use(server, with_text("new")).close, std::nullopt);
}

TEST(ServerStatements, DoNotComeBackBehindADiscardAllWhenTheirCloseIsSkipped) {  // C12b, F22
  ServerStatements server(kServerKey);
  use(server, with_text("one"));
  server.poison_all();
  server.plan_use(with_text("one"), 0);
  server.on_all_dropped();
  server.on_error_skip();
  EXPECT_EQ(server.size(), 0u);
}

TEST(ServerStatements, StayWhenADiscardAllWasRefused) {  // C12b
  ServerStatements server(kServerKey);
  use(server, with_text("one"));
  server.poison_all();
  server.plan_use(with_text("one"), 0);
  server.on_error_skip();
  EXPECT_EQ(server.size(), 1u);
  EXPECT_TRUE(use(server, with_text("one")).close);
}

TEST(ServerStatements, AreParsedAgainWhenTheServerHasFewer) {  // C12e
  ServerStatements server(kServerKey);
  use(server, with_text("one"));
  use(server, with_text("two"));
  server.on_boundary();
  server.on_counted(2);
  EXPECT_FALSE(use(server, with_text("one")).parse);
  server.on_counted(1);
  EXPECT_TRUE(use(server, with_text("one")).close);
  server.on_counted(0);
  EXPECT_EQ(server.size(), 0u);
}

TEST(ServerStatements, RemembersTheUnnamedStatementUntilASimpleQuery) {
  ServerStatements server(kServerKey);
  const auto one = with_text("one");
  EXPECT_TRUE(server.plan_use_unnamed(one, 0));
  server.on_parse_complete();
  server.on_boundary();
  EXPECT_FALSE(server.plan_use_unnamed(one, 0));
  EXPECT_TRUE(server.plan_use_unnamed(with_text("two"), 0));
  server.on_parse_complete();
  EXPECT_TRUE(server.plan_use_unnamed(one, 0));
  server.on_parse_complete();
  server.drop_unnamed();
  EXPECT_TRUE(server.plan_use_unnamed(one, 0));
  server.on_error_skip();
  EXPECT_TRUE(server.plan_use_unnamed(one, 0));
}

/// PostgreSQL, as far as Parse and Close go.
struct SimulatedServer {
  std::vector<PreparedKey> present;

  bool has(PreparedKey key) const { return std::ranges::find(present, key) != present.end(); }
  void close(PreparedKey key) { std::erase(present, key); }
  void parse(PreparedKey key) {
    ASSERT_FALSE(has(key)) << "42P05";
    present.push_back(key);
  }
};

TEST(ServerStatements, AgreesWithASimulatedServerThroughRandomSegments) {
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto upto = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n)(random); };
    ServerStatements server(kServerKey, 1 + upto(5));
    SimulatedServer truth;
    std::vector<PreparedStatement> texts;
    for (int i = 0; i < 12; ++i) texts.push_back(with_text(std::to_string(i)));

    for (int segment = 0; segment < 200; ++segment) {
      bool failed = false;
      for (size_t i = upto(6); i-- > 0;) {
        const PreparedPlan plan = server.plan_use(texts[upto(texts.size() - 1)], upto(1));
        if (failed) continue;  // The server skips.
        if (plan.close) {
          truth.close(*plan.close);
          server.on_close_complete();
        }
        failed = upto(9) == 0;
        if (failed) continue;
        if (plan.parse) {
          truth.parse(plan.key);
          server.on_parse_complete();
        }
        ASSERT_TRUE(truth.has(plan.key)) << "26000";
        if (upto(19) == 0) server.poison_all();
      }
      if (failed) server.on_error_skip();
      if (upto(1) == 0) server.on_boundary();
      if (upto(99) == 0) {
        truth.present.clear();
        server.forget_all();
      }
      ASSERT_EQ(server.size(), truth.present.size());
    }
  }
}

}  // namespace
}  // namespace fairlead::core
