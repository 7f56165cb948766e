#include "core/variables.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/replay.h"

namespace fairlead::core {
namespace {

constexpr HashKey kSessionKey{.low = 1, .high = 2};

Setting value(std::string_view text) { return Setting::from_value(text, "UTF8"); }

/// A session with short words for what a server confirms.
struct Session : SessionVariables {
  explicit Session(VariableSet startup = {}, VariableLimits limits = {})
      : SessionVariables(kSessionKey, std::move(startup), limits) {}

  void set(std::string_view name, std::string_view text) {
    on_set(name, value(text), SetScope::kSession);
  }
  void set_local(std::string_view name, std::string_view text) {
    on_set(name, value(text), SetScope::kLocal);
  }
  void set_alone(std::string_view name, std::string_view text) {
    set(name, text);
    on_commit();
  }
  std::string now(std::string_view name) const {
    const Setting* setting = find(name);
    return setting ? setting->text() : "(default)";
  }
  std::string later(std::string_view name) const {
    const Setting* setting = committed().find(name);
    return setting ? setting->text() : "(default)";
  }
};

TEST(SessionVariables, KeepsWhatWasCommittedAndForgetsWhatWasNot) {
  Session session;
  session.set("work_mem", "1MB");
  EXPECT_EQ(session.now("work_mem"), "1MB");
  EXPECT_EQ(session.later("work_mem"), "(default)");
  session.on_commit();
  EXPECT_EQ(session.later("work_mem"), "1MB");
  session.set("work_mem", "2MB");
  session.on_rollback();
  EXPECT_EQ(session.now("work_mem"), "1MB");
  EXPECT_EQ(session.later("work_mem"), "1MB");
}

// pgcat#186: the tag is SET for both.
TEST(SessionVariables, NeverLetsSetLocalSurvive) {
  Session session;
  session.set_alone("app.tenant", "a");
  session.set_local("app.tenant", "b");
  EXPECT_EQ(session.now("app.tenant"), "b");
  session.on_commit();
  EXPECT_EQ(session.now("app.tenant"), "a");

  session.set("app.tenant", "c");
  session.set_local("app.tenant", "d");
  EXPECT_EQ(session.now("app.tenant"), "d");
  session.on_commit();
  EXPECT_EQ(session.now("app.tenant"), "c");

  session.set_local("app.tenant", "e");
  session.set("app.tenant", "f");
  session.on_commit();
  EXPECT_EQ(session.now("app.tenant"), "f");
}

// pgdog#1299: "SET ..; BEGIN; RESET; ROLLBACK" left search_path empty for the next client.
TEST(SessionVariables, TakesBackAResetThatWasRolledBack) {
  Session session;
  session.set_alone("search_path", "tenant_a");
  session.on_reset("search_path");
  EXPECT_EQ(session.now("search_path"), "(default)");
  session.on_rollback();
  EXPECT_EQ(session.later("search_path"), "tenant_a");
  EXPECT_EQ(session.take_on_server(), session.committed());
}

// pgdog#1299: statement_timeout leaked after a SET in a transaction.
TEST(SessionVariables, HandsNothingOfOneClientToTheNext) {
  Session one;
  one.set("statement_timeout", "1ms");
  one.on_commit();
  Session two;
  EXPECT_EQ(*replay_batch(one.take_on_server(), two.committed()), "RESET \"statement_timeout\";");
}

TEST(SessionVariables, SharesTheSettingsOfAServerThatHasThemAlready) {
  const VariableSet startup({{"work_mem", value("1MB")}});
  VariableSet on_server({{"work_mem", value("1MB")}});
  Session session(startup);
  EXPECT_TRUE(session.share_if_equal(on_server));
  EXPECT_TRUE(session.committed().shares_with(on_server));
  EXPECT_TRUE(session.startup().shares_with(on_server));
  session.set_alone("work_mem", "2MB");
  EXPECT_FALSE(session.share_if_equal(on_server));
  EXPECT_EQ(on_server.find("work_mem")->text(), "1MB");
  EXPECT_EQ(session.later("work_mem"), "2MB");
}

TEST(SessionVariables, UndoesOnlyWhatCameAfterTheSavepoint) {
  Session session;
  session.set("app.x", "1");
  session.on_savepoint("a");
  session.set("app.x", "2");
  session.set("app.y", "2");
  session.on_savepoint("b");
  session.set_local("app.x", "3");
  session.on_rollback_to("a");
  EXPECT_EQ(session.now("app.x"), "1");
  EXPECT_EQ(session.now("app.y"), "(default)");
  session.set("app.y", "4");
  session.on_rollback_to("a");
  EXPECT_EQ(session.now("app.y"), "(default)");
  session.on_commit();
  EXPECT_EQ(session.later("app.x"), "1");
  EXPECT_EQ(session.later("app.y"), "(default)");
  EXPECT_EQ(session.savepoints(), 0u);
}

TEST(SessionVariables, MergesAReleasedSavepointIntoItsTransaction) {
  Session session;
  session.on_savepoint("a");
  session.set("app.x", "1");
  session.set_local("app.y", "1");
  session.on_release("a");
  EXPECT_EQ(session.savepoints(), 0u);
  EXPECT_EQ(session.now("app.y"), "1");
  session.on_commit();
  EXPECT_EQ(session.later("app.x"), "1");
  EXPECT_EQ(session.later("app.y"), "(default)");
}

TEST(SessionVariables, ReleasesTheInnermostOfSavepointsWithOneName) {
  Session session;
  session.on_savepoint("s");
  session.set("app.x", "1");
  session.on_savepoint("s");
  session.set("app.x", "2");
  session.on_release("s");
  EXPECT_EQ(session.savepoints(), 1u);
  session.on_rollback_to("s");
  EXPECT_EQ(session.now("app.x"), "(default)");
}

// C24.
TEST(SessionVariables, ResetsToTheStartupPacketAndTellsWhatTheServerNeedsForThat) {
  Session session(VariableSet({{"timezone", value("Asia/Tokyo")}}));
  EXPECT_EQ(session.later("timezone"), "Asia/Tokyo");
  session.set_alone("timezone", "UTC");
  session.on_reset("TimeZone");
  EXPECT_EQ(session.now("timezone"), "Asia/Tokyo");
  EXPECT_EQ(session.take_follow_up(), "SET \"timezone\" TO 'Asia/Tokyo';");
  EXPECT_EQ(session.take_follow_up(), "");
  session.on_reset("timezone", SetScope::kLocal);
  EXPECT_EQ(session.take_follow_up(), "SET LOCAL \"timezone\" TO 'Asia/Tokyo';");
  session.on_commit();
  EXPECT_EQ(session.later("timezone"), "Asia/Tokyo");
}

TEST(SessionVariables, DoesNotTrustTheServerAfterAResetOfAStartupSetting) {
  Session session(VariableSet({{"timezone", value("Asia/Tokyo")}}));
  session.on_reset_all();
  session.on_commit();
  const VariableSet on_server = session.take_on_server();
  EXPECT_TRUE(on_server.find("timezone")->is_unknown());
  EXPECT_EQ(*replay_batch(on_server, session.committed()), "SET \"timezone\" TO 'Asia/Tokyo';");
  EXPECT_EQ(*replay_batch(on_server, VariableSet()), "RESET \"timezone\";");
  session.on_server_certain();
  EXPECT_EQ(session.take_on_server(), session.committed());
}

TEST(SessionVariables, NeedsNoFollowUpWhenTheResetWasUndoneOrOverwritten) {
  Session session(VariableSet({{"timezone", value("Asia/Tokyo")}}));
  session.on_reset("timezone");
  session.on_rollback();
  EXPECT_EQ(session.take_follow_up(), "");
  session.on_reset("timezone");
  session.set("timezone", "UTC");
  EXPECT_EQ(session.take_follow_up(), "");
}

TEST(SessionVariables, LeavesTheRoleWithResetAllAndTakesItWithDiscardAll) {
  Session session;
  session.set_alone("role", "app");
  session.set_alone("work_mem", "1MB");
  session.on_reset_all();
  session.on_commit();
  EXPECT_EQ(session.later("role"), "app");
  EXPECT_EQ(session.later("work_mem"), "(default)");
  session.on_discard_all();
  session.on_commit();
  EXPECT_EQ(session.committed(), VariableSet());
}

TEST(SessionVariables, LetsSessionAuthorizationTakeTheRoleWithIt) {
  Session session;
  session.set_alone("role", "app");
  session.set("session_authorization", "other");
  EXPECT_EQ(session.now("role"), "none");
  session.on_rollback();
  EXPECT_EQ(session.now("role"), "app");
  session.on_reset("session_authorization");
  EXPECT_EQ(session.now("role"), "(default)");
}

TEST(SessionVariables, KeepsNothingThatIsNotSessionState) {
  Session session(VariableSet({{"log_connections", value("on")}}));
  session.set_alone("transaction_isolation", "serializable");
  session.set_alone("seed", "0.5");
  EXPECT_EQ(session.committed(), VariableSet());
  EXPECT_EQ(session.now("seed"), "(default)");
  EXPECT_EQ(session.now("log_connections"), "(default)");
}

TEST(SessionVariables, KeepsFairleadsOwnSettingsButSendsThemToNoServer) {
  Session session(VariableSet({{"fairlead.consistency", value("session")}}));
  session.set_alone("fairlead.route", "primary");
  session.set_local("fairlead.route", "replica");
  EXPECT_EQ(session.now("fairlead.route"), "replica");
  EXPECT_EQ(session.now("fairlead.consistency"), "session");
  session.on_commit();
  EXPECT_EQ(session.now("fairlead.route"), "primary");
  EXPECT_EQ(session.committed(), VariableSet());
  session.on_reset_all();
  EXPECT_EQ(session.now("fairlead.route"), "(default)");
  EXPECT_EQ(session.now("fairlead.consistency"), "session");
  EXPECT_EQ(session.take_follow_up(), "");
}

// C1: a function with set_config() is seen by its report only.
TEST(SessionVariables, TakesReportedParametersFromTheServer) {
  Session session;
  session.on_reported("TimeZone", "Asia/Tokyo", "UTC", "UTF8");
  EXPECT_EQ(session.now("timezone"), "Asia/Tokyo");
  session.on_commit();
  EXPECT_EQ(session.later("timezone"), "Asia/Tokyo");
  session.on_reported("TimeZone", "UTC", "UTC", "UTF8");
  session.on_commit();
  EXPECT_EQ(session.committed(), VariableSet());
}

TEST(SessionVariables, PrefersTheServersWordsForAValue) {
  Session session;
  session.set("datestyle", "german");
  session.on_reported("DateStyle", "German, DMY", "ISO, MDY", "UTF8");
  session.on_commit();
  EXPECT_EQ(session.later("datestyle"), "German, DMY");
}

TEST(SessionVariables, IgnoresReportsThatAreNoSessionState) {
  Session session;
  session.on_reported("is_superuser", "off", "on", "UTF8");
  session.on_reported("in_hot_standby", "on", "off", "UTF8");
  session.on_commit();
  EXPECT_EQ(session.committed(), VariableSet());
}

TEST(SessionVariables, DoesNotTakeTheServersDefaultAfterAResetForTheClients) {
  Session session(VariableSet({{"timezone", value("Asia/Tokyo")}}));
  session.set_alone("timezone", "Europe/Zurich");
  session.on_reset("timezone");
  session.on_reported("TimeZone", "UTC", "UTC", "UTF8");
  EXPECT_EQ(session.now("timezone"), "Asia/Tokyo");
  EXPECT_NE(session.take_follow_up(), "");
  session.on_reported("TimeZone", "Asia/Tokyo", "UTC", "UTF8");
  session.on_commit();
  EXPECT_EQ(session.later("timezone"), "Asia/Tokyo");
}

TEST(SessionVariables, TakesBackAReportWhoseTransactionIsLost) {
  Session session;
  session.on_reported("TimeZone", "Asia/Tokyo", "UTC", "UTF8");
  session.on_rollback();
  EXPECT_EQ(session.committed(), VariableSet());
}

TEST(SessionVariables, ReadsBackWhatOnlyTheServerKnows) {
  Session session;
  session.on_set("app.tenant", Setting::unknown(), SetScope::kSession);
  session.on_set("app.user", Setting::unknown(), SetScope::kSession);
  session.set("work_mem", "1MB");
  EXPECT_FALSE(session.needs_read_back());
  session.on_commit();
  ASSERT_TRUE(session.needs_read_back());
  EXPECT_EQ(session.read_back_query(),
            "SELECT pg_catalog.current_setting('app.tenant',true),"
            "pg_catalog.current_setting('app.user',true)");
  session.on_read_back(
      std::array{std::optional<std::string_view>("a"), std::optional<std::string_view>()}, "UTF8");
  EXPECT_FALSE(session.needs_read_back());
  EXPECT_FALSE(session.lost());
  EXPECT_EQ(session.later("app.tenant"), "a");
  EXPECT_EQ(session.later("app.user"), "(default)");
  EXPECT_EQ(session.later("work_mem"), "1MB");
}

TEST(SessionVariables, IsLostWhenTheReadBackDoesNotFit) {
  Session session;
  session.on_set("app.tenant", Setting::unknown(), SetScope::kSession);
  session.on_commit();
  session.on_read_back({}, "UTF8");
  EXPECT_TRUE(session.lost());
}

TEST(SessionVariables, ForgetsAnUnknownLocalValueWithItsTransaction) {
  Session session;
  session.on_set("app.claims", Setting::unknown(), SetScope::kLocal);
  session.on_commit();
  EXPECT_FALSE(session.needs_read_back());
}

TEST(SessionVariables, KnowsTheParseStateOfTheMoment) {
  Session session;
  EXPECT_EQ(session.parse_state(), 0u);
  session.set_alone("search_path", "a");
  const auto state_a = session.parse_state();
  EXPECT_NE(state_a, 0u);
  EXPECT_EQ(state_a, parse_state_hash(session.committed(), kSessionKey));
  session.set_local("search_path", "b");
  EXPECT_NE(session.parse_state(), state_a);
  session.on_savepoint("s");
  session.on_set("search_path", Setting::unknown(), SetScope::kLocal);
  EXPECT_EQ(session.parse_state(), std::nullopt);
  session.on_rollback_to("s");
  EXPECT_NE(session.parse_state(), std::nullopt);
  session.on_commit();
  EXPECT_EQ(session.parse_state(), state_a);
  EXPECT_NE(Session(VariableSet({{"search_path", value("a")}})).parse_state(), 0u);
}

TEST(SessionVariables, SharesOneContentWithItsStartupSettings) {
  const VariableSet startup({{"work_mem", value("1MB")}});
  const Session session(startup);
  EXPECT_EQ(session.committed().entries().data(), startup.entries().data());
}

TEST(SessionVariables, IsLostBeyondItsLimits) {
  Session names({}, {.settings_max = 2, .bytes_max = 1000, .savepoint_runs_max = 10});
  names.set_alone("app.a", "1");
  names.set_alone("app.b", "1");
  names.on_reset_all();
  names.set_alone("app.a", "2");
  names.set_alone("app.b", "2");
  EXPECT_FALSE(names.lost());
  names.set_alone("app.c", "1");
  EXPECT_TRUE(names.lost());

  Session bytes({}, {.settings_max = 10, .bytes_max = 1000, .savepoint_runs_max = 10});
  for (int i = 0; i < 1000; ++i) bytes.set_local("app.a", std::string(100, 'x'));
  bytes.set_alone("app.a", std::string(900, 'x'));
  bytes.on_reset_all();
  bytes.set("app.a", std::string(900, 'y'));
  bytes.on_commit();
  EXPECT_FALSE(bytes.lost());
  bytes.set_alone("app.b", std::string(100, 'x'));
  EXPECT_TRUE(bytes.lost());

  Session levels({}, {.settings_max = 10, .bytes_max = 1000, .savepoint_runs_max = 10});
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(levels.lost());
    levels.set("app.a", std::string(900, 'x'));
    levels.on_savepoint("s");
  }
  EXPECT_TRUE(levels.lost());

  Session savepoints({}, {.settings_max = 10, .bytes_max = 1000, .savepoint_runs_max = 2});
  for (int i = 0; i < 1'000'000; ++i) savepoints.on_savepoint("pgjdbc_autosave");
  savepoints.on_savepoint("b");
  EXPECT_FALSE(savepoints.lost());
  EXPECT_EQ(savepoints.savepoints(), 1'000'001u);
  savepoints.on_savepoint("c");
  EXPECT_TRUE(savepoints.lost());
}

TEST(SessionVariables, IsLostWhenItCannotKeepAName) {
  Session session;
  session.set("app.gr\xc3\xb6sse", "1");
  EXPECT_TRUE(session.lost());
}

}  // namespace
}  // namespace fairlead::core
