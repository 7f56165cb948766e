#include "core/request_planner.h"

#include <gtest/gtest.h>

#include "core/messages_testing.h"
#include "core/session_fixture.h"
#include "wire/message_type.h"

namespace fairlead::core {
namespace {

constexpr std::string_view kHinted = "/* fairlead.route=primary */ SELECT 1";

/// Every message of ours and of the client's is carried out; the client's tags do not matter here.
std::string answers_to(std::string_view sent) {
  std::string out;
  for (const char type : types_of(sent)) {
    if (type == wire::frontend::kParse) wire::append_parse_complete(out);
    if (type == wire::frontend::kBind) wire::append_bind_complete(out);
    if (type == wire::frontend::kClose) wire::append_close_complete(out);
    if (type == wire::frontend::kDescribe) wire::append_no_data(out);
    if (type == wire::frontend::kExecute || type == wire::frontend::kQuery)
      wire::append_command_complete(out, "SELECT 1");
    if (type == wire::frontend::kSync || type == wire::frontend::kQuery)
      wire::append_ready_for_query(out, wire::TxStatus::kIdle);
  }
  return out;
}

/// One segment that executes each of the texts.
std::string segment(std::initializer_list<std::string_view> texts) {
  std::string out;
  for (const std::string_view text : texts) out += executing(text);
  return out + sync();
}

/// Where the request goes; it is answered.
std::optional<Target> target_of(ScriptedSession& world, const std::string& request) {
  EXPECT_EQ(world.client(request), Pause::kInput);
  world.server(answers_to(world.take_sent()));
  EXPECT_FALSE(world.session().has_server());
  return world.target();
}

/// What app.tenant is after a transaction in which set_config($1, $2, $3) was executed.
std::string tenant_after(std::string_view is_local) {
  ScriptedSession world;
  world.client(query("BEGIN; SELECT 1"));
  std::string begun;
  wire::append_command_complete(begun, "BEGIN");
  world.server(begun);
  world.server_completes("SELECT 1", wire::TxStatus::kInTransaction);
  std::string bind;
  wire::append_bind(bind, "", "", std::vector<std::optional<std::string_view>>{"7", is_local});
  world.client(parse("", "SELECT set_config('app.tenant', $1, $2)") + bind + execute() + sync());
  std::string answer;
  wire::append_parse_complete(answer);
  wire::append_bind_complete(answer);
  world.server(answer);
  world.server_completes("SELECT 1", wire::TxStatus::kInTransaction);
  world.client(query("COMMIT"));
  world.server_completes("COMMIT", wire::TxStatus::kIdle);
  const Setting* set = world.session().state().variables.find("app.tenant");
  return set != nullptr ? set->text() : "";
}

TEST(RequestPlanner, WhetherASettingIsLocalIsReadAsPostgreSQLReadsIt) {  // C2, B6
  for (const std::string_view is_local :
       {"true", "TRUE", "T", "tru", "y", "YES", "on", "ON", "1", " t ", "\tTrue\n"})
    EXPECT_EQ(tenant_after(is_local), "") << is_local;  // pgjdbc says TRUE.
  for (const std::string_view is_local : {"false", "FALSE", "f", "N", "no", "Off", "0", " F "})
    EXPECT_EQ(tenant_after(is_local), "7") << is_local;
}

TEST(RequestPlanner, AHintOfAParseCountsForEveryLaterExecute) {  // A7
  ScriptedSession world;
  EXPECT_EQ(target_of(world, parse("plain", "SELECT 1") + sync()), Target::kReplica);
  EXPECT_EQ(target_of(world, parse("hinted", kHinted) + sync()), Target::kPrimary);
  EXPECT_EQ(target_of(world, bind_to("plain") + execute() + sync()), Target::kReplica);
  EXPECT_EQ(target_of(world, bind_to("hinted") + execute() + sync()), Target::kPrimary);
}

TEST(RequestPlanner, AHintOfAPrepareCountsForEveryLaterExecute) {  // A7
  ScriptedSession world;
  target_of(world, query("PREPARE plain AS SELECT 1"));
  target_of(world, query("PREPARE hinted AS SELECT 1 /* fairlead.route=primary */"));
  EXPECT_EQ(target_of(world, query("EXECUTE plain")), Target::kReplica);
  EXPECT_EQ(target_of(world, query("EXECUTE hinted")), Target::kPrimary);
  const std::string by_protocol = parse("", "EXECUTE hinted") + bind_to("") + execute() + sync();
  target_of(world, query("EXECUTE plain"));
  EXPECT_EQ(target_of(world, by_protocol), Target::kPrimary);
}

TEST(RequestPlanner, AnotherTextOfTheSameSegmentDoesNotTakeAHintAway) {  // A5, A7
  const std::string hinted = parse("", kHinted) + bind_to("") + execute();
  for (const std::string_view text :
       {"/* of the report */ SELECT 2", "/* fairlead.tags='x' */ SELECT 2",
        "/* fairlead.route=replica */ SELECT 2"}) {
    const std::string other = parse("", text) + bind_to("") + execute();
    ScriptedSession world;
    EXPECT_EQ(target_of(world, hinted + other + sync()), Target::kPrimary) << text;
    EXPECT_EQ(target_of(world, other + hinted + sync()), Target::kPrimary) << text;
    EXPECT_EQ(target_of(world, other + sync()), Target::kReplica) << text;
  }
}

TEST(RequestPlanner, AHintThatExplainsCountsForEveryLaterExecute) {  // A7
  ScriptedSession world;
  target_of(world, parse("s", "SELECT 1 -- fairlead.explain=on") + sync());
  world.take_seen();
  target_of(world, bind_to("s") + execute() + sync());
  EXPECT_EQ(types_of(world.take_seen()), "N2CZ");
}

TEST(RequestPlanner, ABeginReadOnlyDecidesForNothingBeforeItOrBehindItsEnd) {  // A5, B3, B10
  const auto target = [](std::initializer_list<std::string_view> texts) {
    ScriptedSession world;
    return target_of(world, segment(texts));
  };
  constexpr std::string_view kInsert = "INSERT INTO t VALUES (1)";
  constexpr std::string_view kBegin = "BEGIN READ ONLY";
  EXPECT_EQ(target({"BEGIN", kInsert, "COMMIT", kBegin, "SELECT 1", "COMMIT"}), Target::kPrimary);
  EXPECT_EQ(target({"SELECT 1", kInsert, kBegin}), Target::kPrimary);
  EXPECT_EQ(target({kBegin, "SELECT 1", "COMMIT", kInsert}), Target::kPrimary);
  EXPECT_EQ(target({kBegin, "SELECT 1", "ROLLBACK", "BEGIN", "SELECT 1"}), Target::kPrimary);
  EXPECT_EQ(target({kBegin, "SELECT 1", "PREPARE TRANSACTION 'g'"}), Target::kPrimary);
  EXPECT_EQ(target({kBegin, "SAVEPOINT a", "SELECT 1", "ROLLBACK TO a"}), Target::kReplica);
  EXPECT_EQ(target({kBegin, "SELECT 1", "COMMIT"}), Target::kReplica);
}

TEST(RequestPlanner, SoDoesOneThatNoServerKnowsOfYet) {  // A4, B10, B30
  for (const std::string& request : {segment({"SELECT 1", "COMMIT", "INSERT INTO t VALUES (1)"}),
                                     query("SELECT 1; COMMIT; INSERT INTO t VALUES (1)")}) {
    ScriptedSession world;
    EXPECT_EQ(world.client(query("BEGIN READ ONLY")), Pause::kInput);
    EXPECT_EQ(world.target(), std::nullopt);
    world.client(request);
    EXPECT_EQ(world.target(), Target::kPrimary);
  }
}

TEST(RequestPlanner, WhatComesInPartsMayGoOnBehindItsTransaction) {  // A5
  std::string flush;
  wire::append_flush(flush);
  std::string request = segment({"BEGIN READ ONLY", "SELECT 1"});
  request.resize(request.size() - sync().size());
  ScriptedSession world;
  world.client(request + flush);
  EXPECT_EQ(world.target(), Target::kPrimary);
}

}  // namespace
}  // namespace fairlead::core
