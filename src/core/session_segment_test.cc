// Segments of the extended protocol that end in another way than by their Sync: COPY, which
// swallows it, servers that die, DISCARD ALL amid them, and a failed transaction that they end.
#include <gtest/gtest.h>

#include "core/messages_testing.h"
#include "core/session_fixture.h"

namespace fairlead::core {
namespace {

using wire::TxStatus;

/// Up to the Execute, of which `rest` is the answer.
std::string executed(std::string_view rest) {
  std::string out;
  wire::append_parse_complete(out);
  wire::append_bind_complete(out);
  out.append(rest);
  return out;
}

constexpr std::string_view kCopyIn("G\0\0\0\7\0\0\0", 8);

std::string rows_and_end() {
  std::string out;
  wire::append_copy_data(out, "1\n");
  wire::append_copy_done(out);
  return out;
}

TEST(SessionSegment, ACopyThatIsSentInOneGoIsCarriedOut) {  // F25
  ScriptedSession world;
  EXPECT_EQ(world.client(executing("COPY t FROM STDIN") + sync() + rows_and_end() + sync()),
            Pause::kTurn);
  EXPECT_EQ(types_of(world.take_sent()), "PBESdc");
  const uint32_t wakes = world.wakes;
  world.server(executed(kCopyIn));
  EXPECT_GT(world.wakes, wakes);
  EXPECT_EQ(world.client(""), Pause::kInput);
  EXPECT_EQ(types_of(world.take_sent()), "S");
  world.server_completes("COPY 1", TxStatus::kIdle);
  EXPECT_EQ(types_of(world.take_seen()), "12GCZ");
  EXPECT_FALSE(world.session().has_server());
}

TEST(SessionSegment, ACopyThatIsLostIsAnsweredOnce) {  // E27, F25
  ScriptedSession world;
  world.client(executing("COPY t FROM STDIN") + sync());
  world.server(executed(kCopyIn));
  std::string row;
  wire::append_copy_data(row, "1\n");
  world.client(row + row);
  world.server_dies();
  world.client(rows_and_end() + sync());
  EXPECT_EQ(types_of(world.take_seen()), "12GEZ");
}

TEST(SessionSegment, AFailedTransactionIsEndedAlsoByARollbackOfAtMostOneRow) {  // B13; pgjdbc's
  ScriptedSession world;
  world.query("BEGIN; INSERT INTO t VALUES (1)");
  world.server_completes("INSERT 0 1", TxStatus::kInTransaction);
  world.query("INSERT INTO t VALUES (2)");
  world.server_dies();
  world.take_seen();
  world.client(parse("", "ROLLBACK") + bind_to("") + execute("", 1) + sync());
  const std::string seen = world.take_seen();
  EXPECT_EQ(types_of(seen), "12CZ");
  EXPECT_EQ(seen.back(), 'I');
}

TEST(SessionSegment, AStatementTooLargeToBeReadIsExecutedAllTheSame) {  // F20
  ScriptedSession world;
  const std::string large = parse("", "SELECT '" + std::string(size_t{2} << 20, 'x') + "'");
  world.client(large.substr(0, 5000));
  world.client(large.substr(5000) + bind_to("") + execute() + sync());
  EXPECT_EQ(world.target(), Target::kPrimary);
  EXPECT_EQ(types_of(world.take_sent()), "PBES");
  world.server(executed({}));
  world.server_completes("SELECT 1", TxStatus::kIdle);
  EXPECT_EQ(types_of(world.take_seen()), "12CZ");
  world.client(bind_to("") + execute() + sync());
  EXPECT_FALSE(world.take_sent().contains(bind_to(""))) << "another client's may be there";
}

TEST(SessionSegment, DiscardAllTakesNothingOfWhatStandsBehindIt) {  // C12b
  ScriptedSession world;
  world.client(executing("DISCARD ALL") + parse("s2", "SELECT 2") + sync());
  EXPECT_EQ(types_of(world.take_sent()), "PBEPS");
  std::string tag;
  wire::append_command_complete(tag, "DISCARD ALL");
  wire::append_parse_complete(tag);
  wire::append_ready_for_query(tag, TxStatus::kIdle);
  world.server(executed(tag));
  EXPECT_EQ(types_of(world.take_seen()), "12C1Z");
  EXPECT_NE(world.session().state().statements.find("s2"), nullptr);
  EXPECT_EQ(world.primary().statements.size(), 1u);
  EXPECT_FALSE(world.session().has_server());
}

TEST(SessionSegment, DiscardAllForgetsTheNamesThatStoodBeforeIt) {  // C12b
  ScriptedSession world;
  const std::string use = parse("s1", "SELECT 1") + bind_to("s1") + execute() + sync();
  world.client(use);
  std::string tag;
  wire::append_command_complete(tag, "SELECT 1");
  wire::append_ready_for_query(tag, TxStatus::kIdle);
  world.server(executed(tag));
  world.take_sent();
  world.take_seen();

  world.client(executing("DISCARD ALL") + use);
  ASSERT_NE(world.session().state().statements.find("s1"), nullptr);
  const std::string sent = types_of(world.take_sent());
  EXPECT_TRUE(sent == "PBECPBES" || sent == "PBEPBES") << sent;
}

TEST(SessionSegment, AnErrorBehindDiscardAllTakesNothingOfItBack) {  // B8, C24
  ScriptedSession world;
  world.query("SET app.tenant = '1'");
  world.server_completes("SET", TxStatus::kIdle);
  ASSERT_NE(world.session().state().variables.find("app.tenant"), nullptr);
  world.client(executing("DISCARD ALL") + executing("SELECT 1/0") + sync());
  std::string tag;
  wire::append_command_complete(tag, "DISCARD ALL");
  wire::append_parse_complete(tag);
  wire::append_bind_complete(tag);
  world.server(executed(tag));
  world.server_fails("22012", "division by zero", TxStatus::kIdle);
  EXPECT_EQ(world.session().state().variables.find("app.tenant"), nullptr);
  EXPECT_EQ(world.primary().variables.find("app.tenant"), nullptr);
}

TEST(SessionSegment, ListenBehindDiscardAllHoldsTheServer) {  // C16
  ScriptedSession world;
  world.client(executing("DISCARD ALL") + executing("LISTEN a") + sync());
  world.take_sent();
  std::string tag;
  wire::append_command_complete(tag, "DISCARD ALL");
  world.server(executed(tag));
  tag.clear();
  wire::append_command_complete(tag, "LISTEN");
  wire::append_ready_for_query(tag, TxStatus::kIdle);
  world.server(executed(tag));
  EXPECT_NE(world.take_sent().find("pg_listening_channels"), std::string::npos);
}

/// A transaction that has failed without a server.
void fail_transaction(ScriptedSession& world) {
  world.query("BEGIN");
  world.query("INSERT INTO t VALUES (1)");
  world.server_completes("BEGIN", TxStatus::kInTransaction);
  world.client("");
  world.server_dies();
  EXPECT_EQ(world.session().state().status, TxStatus::kFailed);
  world.take_seen();
  world.take_sent();
}

TEST(SessionSegment, ARollbackEndsAFailedTransactionWhateverStandsBehindIt) {  // B13, B36
  ScriptedSession world;
  fail_transaction(world);
  world.client(executing("ROLLBACK") + executing("BEGIN") + executing("SELECT 1") + sync());
  EXPECT_EQ(types_of(world.take_sent()), "PBEPBEPBES");
  EXPECT_EQ(world.take_seen(), "");

  ScriptedSession closing;
  fail_transaction(closing);
  std::string portal;
  wire::append_close(portal, wire::NameKind::kPortal, "");
  closing.client(executing("ROLLBACK") + portal + sync());
  EXPECT_EQ(types_of(closing.take_sent()), "PBECS");
}

TEST(SessionSegment, ASyncAloneIsNoPlaceToTellOfALostTransaction) {  // E20, F22
  for (const std::string_view end : {"COMMIT", "ROLLBACK"}) {
    ScriptedSession world;
    world.query("BEGIN");
    world.query("INSERT INTO t VALUES (1)");
    world.server_completes("BEGIN", TxStatus::kInTransaction);
    world.client("");
    world.server_completes("INSERT 0 1", TxStatus::kInTransaction);
    world.server_dies();
    world.take_seen();
    world.client(sync());
    EXPECT_EQ(world.take_seen(), std::string("Z\0\0\0\5E", 6));
    world.query(end);
    EXPECT_EQ(types_of(world.take_seen()), end == "COMMIT" ? "EZ" : "CZ");
    EXPECT_EQ(world.session().state().status, TxStatus::kIdle);
  }
}

TEST(SessionSegment, NothingBeforeTheRollbackIsTakenInAFailedTransaction) {  // B13
  ScriptedSession world;
  fail_transaction(world);
  world.client(executing("SELECT 1") + executing("ROLLBACK") + sync());
  EXPECT_EQ(types_of(world.take_seen()), "EZ");
  EXPECT_EQ(world.session().state().status, TxStatus::kFailed);
  world.client(parse("s", "SELECT 1") + executing("ROLLBACK") + executing("SELECT 1") + sync());
  EXPECT_EQ(types_of(world.take_seen()), "EZ");
  world.client(executing("ROLLBACK") + sync());
  EXPECT_EQ(types_of(world.take_seen()), "12CZ");
}

}  // namespace
}  // namespace fairlead::core
