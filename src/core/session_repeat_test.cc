// What becomes of a read that a replica has refused, because it writes.
#include <gtest/gtest.h>

#include "core/messages_testing.h"
#include "core/session_fixture.h"

namespace fairlead::core {
namespace {

/// A session whose read a replica has refused: it runs on the primary now.
void repeat_on_primary(ScriptedSession& world) {
  std::string request;
  wire::append_query(request, "SELECT 1");
  EXPECT_EQ(world.client(request), Pause::kInput);
  EXPECT_EQ(world.target(), Target::kReplica);
  std::string refusal;
  wire::append_error(refusal, wire::Severity::kError,
                     {ErrorCode::kReadOnlyTransaction, "cannot execute INSERT"});
  wire::append_ready_for_query(refusal, wire::TxStatus::kIdle);
  world.server(refusal);
  EXPECT_EQ(world.client(""), Pause::kInput);
  EXPECT_EQ(world.target(), Target::kPrimary);
  EXPECT_EQ(world.take_seen(), "");
}

TEST(SessionRepeat, WhatAReplicaRefusedCountsAsAWriteOnThePrimary) {  // A44, D11
  ScriptedSession world;
  repeat_on_primary(world);
  world.server_completes("SELECT 1", wire::TxStatus::kIdle);
  EXPECT_EQ(types_of(world.take_seen()), "CZ");
  EXPECT_EQ(world.writes, 1u);
  EXPECT_TRUE(world.wrote_anything);
}

TEST(SessionRepeat, ItsOutcomeIsNotKnownWhenThePrimaryDies) {  // E21, G3
  ScriptedSession world;
  repeat_on_primary(world);
  world.session().on_server_lost({ErrorCode::kConnectionFailure, "gone"});
  const std::string seen = world.take_seen();
  EXPECT_EQ(types_of(seen), "EZ");
  EXPECT_NE(seen.find("08007"), std::string::npos) << seen;
  EXPECT_EQ(world.writes, 1u);
}

/// Of a server that leaves with these words before it dies; "": without any.
uint32_t sudden_deaths(std::string_view request, std::string_view last_words) {
  ScriptedSession world;
  world.query(request);
  std::string fatal;
  if (!last_words.empty()) {
    wire::append_error(fatal, wire::Severity::kFatal,
                       {ErrorCode::kAdminShutdown, std::string(last_words)});
    world.server(fatal);
  }
  world.session().on_server_lost({ErrorCode::kConnectionFailure, "gone"});
  return world.sudden_deaths;
}

TEST(SessionRepeat, AServerThatDiesWithoutAWordMakesTheOthersOfItsNodeSuspect) {  // A60
  EXPECT_EQ(sudden_deaths("INSERT INTO t VALUES (1)", ""), 1u);
  EXPECT_EQ(sudden_deaths("SELECT 1", ""), 1u);
  constexpr std::string_view kShutdown = "terminating connection due to administrator command";
  EXPECT_EQ(sudden_deaths("INSERT INTO t VALUES (1)", kShutdown), 0u);  // One was ended, perhaps.
  EXPECT_EQ(sudden_deaths("SELECT 1", kShutdown), 0u);  // Another replica repeats it.
  EXPECT_EQ(sudden_deaths("/* fairlead.route=primary */ SELECT 1", kShutdown), 1u);
}

/// Its hidden PREPARE fails on the replica.
TEST(SessionRepeat, AStatementThatAReplicaCannotPrepareIsNotTakenForPrepared) {  // A60, C8
  ScriptedSession world;
  world.query("PREPARE s AS SELECT 1");
  world.server_completes("PREPARE", wire::TxStatus::kIdle);
  world.take_sent();
  EXPECT_EQ(world.query("EXECUTE s"), Pause::kInput);
  ASSERT_EQ(world.target(), Target::kReplica);
  EXPECT_EQ(types_of(world.take_sent()), "QQ");
  world.server_fails("42P01", "relation \"t\" does not exist", wire::TxStatus::kIdle);
  world.server_fails("26000", "prepared statement \"fl_1\" does not exist", wire::TxStatus::kIdle);
  world.client("");
  ASSERT_EQ(world.target(), Target::kPrimary);
  world.server_completes("SELECT 1", wire::TxStatus::kIdle);
  world.query("SELECT 2");  // On the same replica.
  ASSERT_EQ(world.target(), Target::kReplica);
  world.server_completes("SELECT 1", wire::TxStatus::kIdle);
  EXPECT_FALSE(world.session().has_server());
}

std::string parse_and_execute() {
  return parse("s", "SELECT 1") + bind_to("s") + execute() + sync();
}

TEST(SessionRepeat, AParseThatFailsTheSecondTimeHasDefinedNothing) {  // A60, C12
  ScriptedSession world;
  world.client(parse_and_execute());
  ASSERT_EQ(world.target(), Target::kReplica);
  std::string begun;
  wire::append_parse_complete(begun);
  wire::append_bind_complete(begun);
  world.server(begun);
  world.server_fails("42P01", "relation \"t\" does not exist", wire::TxStatus::kIdle);
  EXPECT_EQ(world.take_seen(), "");
  world.client("");
  ASSERT_EQ(world.target(), Target::kPrimary);
  world.server_fails("42703", "column \"c\" does not exist", wire::TxStatus::kIdle);
  EXPECT_EQ(types_of(world.take_seen()), "EZ");
  world.take_sent();
  world.client(parse_and_execute());
  ASSERT_EQ(types_of(world.take_sent()), "BES") << "that replica has it";
  std::string bound;
  wire::append_bind_complete(bound);
  world.server(bound);
  world.server_completes("SELECT 1", wire::TxStatus::kIdle);
  EXPECT_EQ(types_of(world.take_seen()), "12CZ") << "not that the name is taken";
}

TEST(SessionRepeat, AReadThatWasCancelledIsNotLeftToANodeThatDoesNotAnswer) {  // A60, F44
  ScriptedSession world;
  world.query("SELECT 1");
  ASSERT_EQ(world.target(), Target::kReplica);
  world.session().on_cancel();
  EXPECT_EQ(world.cancels, 1u);
  world.session().on_node_down(NodeIndex{1});
  const std::string seen = world.take_seen();
  EXPECT_EQ(types_of(seen), "EZ");
  EXPECT_NE(seen.find("57014"), std::string::npos) << seen;
  EXPECT_FALSE(world.session().has_server());
  world.session().on_cancel_done();
  world.query("SELECT 2");
  world.server_completes("SELECT 1", wire::TxStatus::kIdle);
  EXPECT_EQ(types_of(world.take_seen()), "CZ");
}

TEST(SessionRepeat, AReadThatHasAnsweredInPartIsLeftToItsNode) {  // A60, F44
  ScriptedSession world;
  world.query("SELECT 1");
  std::string row;
  wire::append_text_data_row(row, std::vector<std::optional<std::string_view>>{"1"});
  world.server(row);
  world.take_seen();
  world.session().on_cancel();
  world.session().on_node_down(NodeIndex{1});
  EXPECT_TRUE(world.session().has_server());
  EXPECT_EQ(world.take_seen(), "");
}

}  // namespace
}  // namespace fairlead::core
