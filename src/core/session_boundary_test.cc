// What a session keeps between two requests while its server is asked about it, and what becomes of
// it when the answer does not come (E25, F41).
#include <gtest/gtest.h>

#include "core/messages_testing.h"
#include "core/session_fixture.h"
#include "wire/error_fields.h"

namespace fairlead::core {
namespace {

using wire::TxStatus;

/// The SQLSTATE of the only error in what the client has seen; empty: there is none.
std::string error_of(std::string_view seen) {
  while (seen.size() > wire::kFrameHeaderSize) {
    const size_t size = 1 + load_u32(seen.data() + 1);
    if (seen.front() == 'E')
      return std::string(
          wire::ErrorFields::decode(seen.substr(wire::kFrameHeaderSize, size - 5))->sqlstate());
    seen.remove_prefix(size);
  }
  return {};
}

TEST(SessionBoundary, APinThatIsBeingCheckedIsNotLostInSilenceWithItsServer) {  // C16, E25
  ScriptedSession world;
  world.query("LISTEN a");
  world.server_completes("LISTEN", TxStatus::kIdle);
  world.take_seen();
  world.server_dies();
  EXPECT_EQ(error_of(world.take_seen()), "57P01");
  EXPECT_TRUE(world.session().ended());
}

TEST(SessionBoundary, APinWhoseCheckFailsIsNotLostInSilence) {  // C16, E25
  ScriptedSession world;
  world.query("SELECT pg_advisory_lock(7)");
  world.server_completes("SELECT 1", TxStatus::kIdle);
  world.take_seen();
  world.server_fails("57014", "canceling statement due to statement timeout", TxStatus::kIdle);
  EXPECT_EQ(error_of(world.take_seen()), "57P01");
  EXPECT_TRUE(world.session().ended());
}

TEST(SessionBoundary, AServerThatWasFoundToHoldNothingMayDie) {  // E25
  ScriptedSession world;
  world.query("SELECT pg_try_advisory_lock(7)");
  world.server_completes("SELECT 1", TxStatus::kIdle);
  world.server_answers({"f", "f", "f", "f", "f", std::nullopt});
  EXPECT_FALSE(world.session().has_server());
  world.take_seen();
  world.query("INSERT INTO t VALUES (1)");
  world.server_dies();
  EXPECT_EQ(error_of(world.take_seen()), "08007");
  EXPECT_FALSE(world.session().ended());
}

TEST(SessionBoundary, AStatementThatDiesWithItsServerPinsNothing) {  // E20
  ScriptedSession world;
  world.query("LISTEN a");
  world.server_dies();
  EXPECT_NE(error_of(world.take_seen()), "57P01");
  EXPECT_FALSE(world.session().ended());
  world.query("INSERT INTO t VALUES (1)");
  world.take_sent();
  world.server_completes("INSERT 0 1", TxStatus::kIdle);
  EXPECT_EQ(world.take_sent(), "") << "nothing is to be checked";
  EXPECT_FALSE(world.session().has_server());
}

/// A cancel is on its way when the answer comes.
void query_with_cancel(ScriptedSession& world, std::string_view sql, std::string_view tag) {
  world.query(sql);
  world.session().on_cancel();
  EXPECT_EQ(world.cancels, 1u);
  world.take_sent();
  world.server_completes(tag, TxStatus::kIdle);
}

TEST(SessionBoundary, NothingIsAskedThatACancelOnItsWayWouldHit) {  // F41
  ScriptedSession world;
  query_with_cancel(world, "LISTEN a", "LISTEN");
  EXPECT_EQ(types_of(world.take_seen()), "CZ");
  EXPECT_EQ(world.take_sent(), "");
  world.session().on_cancel_done();
  EXPECT_NE(world.take_sent().find("pg_listening_channels"), std::string::npos);
  world.server_answers({"t", "f", "f", "f", "f", std::nullopt});
  EXPECT_TRUE(world.session().has_server());
}

TEST(SessionBoundary, AServerThatDiesBeforeItCouldBeAskedTakesThePinAlong) {  // F41, E25
  ScriptedSession world;
  query_with_cancel(world, "LISTEN a", "LISTEN");
  world.server_dies();
  EXPECT_EQ(error_of(world.take_seen()), "57P01");
}

TEST(SessionBoundary, AFollowUpWaitsForTheCancelAndTheClientForBoth) {  // C24, F41
  VariableSet startup({{"timezone", Setting::from_value("Asia/Tokyo", "UTF8")}});
  ScriptedSession world(size_t{1} << 20, std::move(startup));
  world.query("INSERT INTO t VALUES (1)");
  world.server_completes("SET", TxStatus::kIdle);  // Its settings.
  world.client("");
  world.server_completes("INSERT 0 1", TxStatus::kIdle);
  EXPECT_EQ(types_of(world.take_seen()), "CZ");
  query_with_cancel(world, "RESET timezone", "RESET");
  EXPECT_EQ(types_of(world.take_seen()), "C");
  EXPECT_EQ(world.take_sent(), "");
  world.session().on_cancel_done();
  EXPECT_NE(world.take_sent().find("Asia/Tokyo"), std::string::npos);
  world.server_completes("SET", TxStatus::kIdle);
  EXPECT_EQ(types_of(world.take_seen()), "Z");
}

/// A value that only the server knows.
constexpr std::string_view kUnknownSetting = "SELECT set_config('app.tenant', name, false) FROM t";

TEST(SessionBoundary, SettingsThatCannotBeReadBackEndTheSession) {  // C2
  ScriptedSession world;
  world.query(kUnknownSetting);
  world.take_sent();
  world.server_completes("SELECT 1", TxStatus::kIdle);
  world.take_seen();
  ASSERT_NE(world.take_sent().find("current_setting"), std::string::npos);
  world.server_fails("57014", "canceling statement", TxStatus::kIdle);
  EXPECT_EQ(error_of(world.take_seen()), "57P01");
}

TEST(SessionBoundary, SettingsThatWereNotReadBackYetEndTheSessionWithTheirServer) {  // C2, E25
  ScriptedSession world;
  query_with_cancel(world, kUnknownSetting, "SELECT 1");
  EXPECT_EQ(world.take_sent(), "");
  world.take_seen();
  world.server_dies();
  EXPECT_EQ(error_of(world.take_seen()), "57P01");
}

// Which calls are made, only the server knows: here for no row at all.
TEST(SessionBoundary, ACallOfSetConfigThatMayNotBeMadeIsReadBack) {  // C2, C5
  for (const std::string_view sql :
       {"SELECT set_config('app.tenant', '42', false) FROM members WHERE user_id = 7",
        "SELECT CASE WHEN false THEN set_config('app.tenant', '42', false) END",
        "SELECT set_config('app.tenant', '42', false) LIMIT 0",
        "CREATE VIEW v AS SELECT set_config('app.tenant', '42', false)"}) {
    ScriptedSession world;
    world.query(sql);
    world.take_sent();
    world.server_completes("SELECT 0", TxStatus::kIdle);
    EXPECT_NE(world.take_sent().find("current_setting('app.tenant'"), std::string::npos) << sql;
    world.server_answers({std::nullopt});
    EXPECT_EQ(world.primary().variables.find("app.tenant"), nullptr) << sql;
    EXPECT_FALSE(world.session().has_server()) << sql;
  }
}

// What is noted of a server may be wrong: a setting that it does not know, or not any more.
TEST(SessionBoundary, AServerThatCannotTakeASettingBackIsNotGivenToTheNextClient) {  // C3
  ScriptedSession world;
  world.primary().variables = VariableSet({{"gone.setting", Setting::from_value("1", "UTF8")}});
  world.query("INSERT INTO t VALUES (1)");
  EXPECT_NE(world.take_sent().find("RESET \"gone\".\"setting\""), std::string::npos);
  world.server_fails("42704", "unrecognized configuration parameter", TxStatus::kIdle);
  EXPECT_EQ(error_of(world.take_seen()), "22023");
  EXPECT_TRUE(world.given_up());
  EXPECT_EQ(world.releases, 0u);
  EXPECT_FALSE(world.session().ended());
}

TEST(SessionBoundary, AServerThatOnlyRefusesTheClientsOwnSettingIsKept) {  // C3
  VariableSet startup({{"role", Setting::from_value("dropped", "UTF8")}});
  ScriptedSession world(size_t{1} << 20, std::move(startup));
  world.query("INSERT INTO t VALUES (1)");
  world.server_fails("22023", "role \"dropped\" does not exist", TxStatus::kIdle);
  EXPECT_EQ(error_of(world.take_seen()), "22023");
  EXPECT_EQ(world.releases, 1u);
}

std::string error_with_routine(std::string_view sqlstate, std::string_view message,
                               std::string_view routine) {
  std::string body = "SERROR";
  for (const auto& [field, value] :
       {std::pair('C', sqlstate), std::pair('M', message), std::pair('R', routine)}) {
    body.append(1, '\0').append(1, field).append(value);
  }
  body.append(2, '\0');
  std::string out = "E";
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>((body.size() + 4) >> shift & 0xff);
  out += body;
  wire::append_ready_for_query(out, TxStatus::kIdle);
  return out;
}

/// By a name, as what is repeated with the server's plans made anew.
std::string executing_named(std::string_view name) { return bind_to(name) + execute() + sync(); }

/// The client has prepared s1, and its server holds what `pins` made.
void prepare(ScriptedSession& world, std::string_view pins) {
  if (!pins.empty()) {
    world.query(pins);
    world.server_completes("LISTEN", TxStatus::kIdle);
    world.server_answers({"t", "f", "f", "f", "f", std::nullopt});
  }
  world.client(parse("s1", "INSERT INTO t VALUES (1)") + executing_named("s1"));
  std::string out;
  wire::append_parse_complete(out);
  wire::append_bind_complete(out);
  world.server(out);
  world.server_completes("INSERT 0 1", TxStatus::kIdle);
  world.take_seen();
  world.take_sent();
}

void expect_repeat(ScriptedSession& world, std::string_view error) {
  world.client(executing_named("s1"));
  EXPECT_EQ(types_of(world.take_sent()), "BES");
  world.server(error);
  EXPECT_EQ(world.take_seen(), "");
  world.client("");
  EXPECT_EQ(types_of(world.take_sent()), "CPBES");
}

const std::string kStalePlan =
    error_with_routine("0A000", "cached plan must not change result type", "RevalidateCachedQuery");

TEST(SessionBoundary, AServerThatIsPinnedIsKeptWhenItsPlansAreMadeAnew) {  // C11, C22
  ScriptedSession world;
  prepare(world, "LISTEN a");
  ASSERT_TRUE(world.session().has_server());
  expect_repeat(world, kStalePlan);
  EXPECT_EQ(world.releases, 0u);
}

TEST(SessionBoundary, NoNotificationIsLostWithAnAnswerThatIsNotTheLast) {  // F26, A60
  const std::string notification =
      std::string("A\0\0\0\x0d\0\0\0\x07", 9) + std::string("a\0x\0", 5);
  const std::string ready = kStalePlan.substr(kStalePlan.size() - 6);
  const std::string error = kStalePlan.substr(0, kStalePlan.size() - 6);
  for (const std::string& answer : {notification + kStalePlan, error + notification + ready}) {
    ScriptedSession world;
    prepare(world, "LISTEN a");
    world.client(executing_named("s1"));
    world.take_sent();
    world.server(answer);
    EXPECT_EQ(world.take_seen(), notification);
    world.client("");
    EXPECT_EQ(types_of(world.take_sent()), "CPBES") << "it is repeated";
  }
}

TEST(SessionBoundary, AStatementThatWasDroppedUnseenIsMadeAnew) {  // C11, C12e
  ScriptedSession world;
  prepare(world, "");
  expect_repeat(world, error_with_routine("26000", "prepared statement \"fl_1\" does not exist",
                                          "FetchPreparedStatement"));
  std::string out;
  wire::append_close_complete(out);
  wire::append_parse_complete(out);
  wire::append_bind_complete(out);
  world.server(out);
  world.server_completes("INSERT 0 1", TxStatus::kIdle);
  EXPECT_EQ(types_of(world.take_seen()), "2CZ");
}

TEST(SessionBoundary, AStatementThatTheClientDoesNotHaveIsItsOwnError) {  // C12
  ScriptedSession world;
  prepare(world, "");
  world.client(executing_named("s2"));
  world.server(error_with_routine("26000", "prepared statement \"s2\" does not exist",
                                  "FetchPreparedStatement"));
  EXPECT_EQ(error_of(world.take_seen()), "26000");
  EXPECT_EQ(world.primary().statements.size(), 1u);
}

TEST(SessionBoundary, WhatMakesRoomForAStatementCannotFailATransaction) {  // C12e, F32
  ScriptedSession world;
  world.primary().statements = ServerStatements({.low = 1, .high = 2}, 1);
  world.query("PREPARE a AS SELECT 1");
  world.server_completes("PREPARE", TxStatus::kIdle);
  world.take_seen();
  world.take_sent();
  world.query("PREPARE b AS SELECT 2");
  EXPECT_EQ(types_of(world.take_sent()), "CSQ") << "DEALLOCATE may find that it is gone already";
  std::string closed;
  wire::append_close_complete(closed);
  wire::append_ready_for_query(closed, TxStatus::kIdle);
  world.server(closed);
  world.server_completes("PREPARE", TxStatus::kIdle);
  EXPECT_EQ(types_of(world.take_seen()), "CZ");
  EXPECT_EQ(world.primary().statements.size(), 1u);
}

TEST(SessionBoundary, WhoIsToLeaveDoesWhenANewPrimaryEndsItsTransaction) {  // E3
  ScriptedSession world;
  world.query("BEGIN; INSERT INTO t VALUES (1)");
  world.server_completes("INSERT 0 1", TxStatus::kInTransaction);
  world.session().end(false);
  EXPECT_FALSE(world.session().ended());
  world.query("COMMIT");
  ClusterSnapshot cluster;
  cluster.epoch = 1;
  world.session().on_new_epoch(cluster);
  EXPECT_TRUE(world.session().ended());
}

TEST(SessionBoundary, NoServerIsGivenBackWithSettingsThatNobodyNoted) {  // C2, C25
  ScriptedSession world;
  query_with_cancel(world, "SET search_path TO x", "SET");
  world.session().on_client_gone();
  world.session().on_cancel_done();
  EXPECT_EQ(world.releases, 1u);
  EXPECT_NE(world.primary().variables.find("search_path"), nullptr);
}

TEST(SessionBoundary, AServerWhoseSettingsAreNotKnownEndsWithItsClient) {  // C25
  ScriptedSession world;
  world.query("SET ROLE r; SET app.\xc3\xa9 TO '1'");
  std::string done;
  wire::append_command_complete(done, "SET");
  wire::append_command_complete(done, "SET");
  wire::append_ready_for_query(done, TxStatus::kIdle);
  world.server(done);
  EXPECT_EQ(error_of(world.take_seen()), "54000");
  world.session().on_client_gone();
  EXPECT_EQ(world.releases, 0u);
  EXPECT_TRUE(world.given_up());
}

TEST(SessionBoundary, WhatAResetLeavesUncertainStaysSoUntilItIsSet) {  // C24
  VariableSet startup({{"search_path", Setting::from_value("foo", "UTF8")}});
  SessionVariables variables({}, startup);
  variables.on_reset("search_path");
  variables.on_set("search_path", Setting::from_value("x", "UTF8"), SetScope::kSession);
  variables.on_rollback();
  EXPECT_FALSE(variables.take_on_server() == variables.committed());
  EXPECT_FALSE(variables.take_on_server() == variables.committed()) << "asked twice";
  variables.on_server_certain();
  EXPECT_TRUE(variables.take_on_server() == variables.committed());
}

}  // namespace
}  // namespace fairlead::core
