// Reads of a transaction on a replica that does not show yet what they must see (B34).
#include <gtest/gtest.h>

#include "core/messages_testing.h"
#include "core/session_fixture.h"

namespace fairlead::core {
namespace {

/// A transaction that has read on a replica.
class SessionFreshness : public ::testing::Test {
 protected:
  SessionFreshness() {
    world_.session().environment().reads_until_write = true;
    world_.query("BEGIN ISOLATION LEVEL READ COMMITTED");
    world_.query("SELECT 1");
    EXPECT_EQ(world_.target(), Target::kReplica);
    world_.server_completes("BEGIN", wire::TxStatus::kInTransaction);
    world_.client("");
    world_.server_completes("SELECT 1", wire::TxStatus::kInTransaction);
    world_.take_seen();
    world_.take_sent();
  }

  ScriptedSession world_;
};

TEST_F(SessionFreshness, TheNextReadWaitsForItsReplicaAndIsSentThere) {  // B34, D8
  world_.shows = StillShows::kNotYet;
  EXPECT_EQ(world_.query("SELECT 2"), Pause::kServer);
  EXPECT_EQ(world_.take_sent(), "");
  EXPECT_EQ(world_.client(""), Pause::kServer) << "still not";
  world_.shows = StillShows::kAll;
  world_.client("");
  EXPECT_NE(world_.take_sent().find("SELECT 2"), std::string::npos);
  EXPECT_EQ(world_.target(), Target::kReplica);
  world_.server_completes("SELECT 1", wire::TxStatus::kInTransaction);
  EXPECT_EQ(types_of(world_.take_seen()), "CZ");
}

TEST_F(SessionFreshness, ItMovesToThePrimaryWhenTheReplicaTakesTooLong) {  // B34, B35
  world_.shows = StillShows::kNotYet;
  EXPECT_EQ(world_.query("SELECT 2"), Pause::kServer);
  world_.shows = StillShows::kTooLittle;
  world_.client("");
  EXPECT_EQ(world_.take_sent().substr(5, 8), "ROLLBACK");
  world_.server_completes("ROLLBACK", wire::TxStatus::kIdle);
  world_.client("");
  EXPECT_EQ(world_.target(), Target::kPrimary);
  EXPECT_EQ(world_.take_seen(), "") << "the client sees nothing of the move";
}

TEST_F(SessionFreshness, TheWaitCanBeCancelledAndFailsTheTransaction) {  // B34, F42
  world_.shows = StillShows::kNotYet;
  world_.query("SELECT 2");
  world_.session().on_cancel();
  EXPECT_EQ(world_.waits_ended, 1u);
  world_.client("");
  const std::string sent = world_.take_sent();
  EXPECT_EQ(types_of(sent), "Q") << "the server has to fail, too";
  EXPECT_EQ(sent.find("SELECT 2"), std::string::npos);
  world_.server_fails("26000", "it does not exist", wire::TxStatus::kFailed);
  const std::string seen = world_.take_seen();
  EXPECT_EQ(types_of(seen), "EZ");
  EXPECT_NE(seen.find("57014"), std::string::npos) << seen;
}

}  // namespace
}  // namespace fairlead::core
