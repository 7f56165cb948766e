// When a session counts as idle, and what ends it then (F23, F52, E26).
#include <gtest/gtest.h>

#include "core/messages_testing.h"
#include "core/session_fixture.h"

namespace fairlead::core {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using wire::TxStatus;

class SessionIdle : public testing::Test {
 protected:
  SessionIdle() {
    world_.clock = start_;
    world_.session().environment().idle_transaction_timeout = minutes(1);
    world_.session().environment().client_idle_timeout = minutes(10);
  }

  /// The client has sent something at the start only.
  bool ends_after(Duration time) {
    world_.clock += time;
    world_.session().tick(start_);
    return world_.session().ended();
  }
  /// A transaction that its server knows of.
  void begin() {
    world_.query("BEGIN");
    world_.query("SELECT 1 FROM t");
    world_.server_completes("BEGIN", TxStatus::kInTransaction);
    world_.client("");
  }

  const Time start_{seconds(1000)};
  ScriptedSession world_;
};

TEST_F(SessionIdle, TheTimeThatAStatementRunsIsNotTheClients) {  // F52
  begin();
  EXPECT_FALSE(ends_after(minutes(2)));
  world_.server_completes("SELECT 1", TxStatus::kInTransaction);
  EXPECT_FALSE(ends_after(seconds(59)));
  EXPECT_TRUE(ends_after(seconds(2)));
}

TEST_F(SessionIdle, ATransactionThatWasLostIsIdleFromThenOn) {  // F52, E20
  begin();
  EXPECT_FALSE(ends_after(minutes(2)));
  world_.server_dies();
  EXPECT_FALSE(ends_after(seconds(59)));
  EXPECT_TRUE(ends_after(seconds(2)));
}

TEST_F(SessionIdle, ASegmentWithoutItsSyncIsATransactionThatIdles) {  // F23, F52
  world_.client(executing("INSERT INTO t VALUES (1)") + flush());
  EXPECT_FALSE(ends_after(minutes(2))) << "it is executed";
  std::string out;
  wire::append_parse_complete(out);
  wire::append_bind_complete(out);
  wire::append_command_complete(out, "INSERT 0 1");
  world_.server(out);
  EXPECT_FALSE(ends_after(seconds(59)));
  EXPECT_TRUE(ends_after(seconds(2)));
}

TEST_F(SessionIdle, WhoHasToLeaveDoesSoWhenItsTransactionEndsWithoutAServer) {  // B30
  world_.query("BEGIN");
  world_.session().end(false);
  EXPECT_FALSE(world_.session().ended());
  world_.take_seen();
  EXPECT_EQ(world_.query("COMMIT"), Pause::kEnded);
  EXPECT_EQ(types_of(world_.take_seen()), "CZE");
}

TEST_F(SessionIdle, WhoHasToLeaveDoesSoWhenItsTransactionIsLost) {  // E20
  begin();
  world_.server_completes("SELECT 1", TxStatus::kInTransaction);
  world_.query("INSERT INTO t VALUES (1); COMMIT");
  world_.session().end(false);
  world_.take_seen();
  world_.server_dies();
  EXPECT_EQ(types_of(world_.take_seen()), "EZE");
  EXPECT_TRUE(world_.session().ended());
}

}  // namespace
}  // namespace fairlead::core
