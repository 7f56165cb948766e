// Cancels of what waits for Fairlead's own answers.
#include <gtest/gtest.h>

#include "core/messages_testing.h"
#include "core/session_fixture.h"

namespace fairlead::core {
namespace {

TEST(SessionCancel, WhoWaitsForThePrimarysPositionCanCancelThat) {  // F42, D24
  ScriptedSession world;
  world.has_token = false;
  EXPECT_EQ(world.query("SHOW fairlead.token"), Pause::kServer);
  world.session().on_cancel();
  EXPECT_EQ(world.waits_ended, 1u);
  EXPECT_GE(world.wakes, 1u);
  EXPECT_EQ(world.client(""), Pause::kInput);
  const std::string seen = world.take_seen();
  EXPECT_EQ(types_of(seen), "EZ");
  EXPECT_NE(seen.find("57014"), std::string::npos) << seen;
  world.has_token = true;
  world.query("SHOW fairlead.token");
  EXPECT_EQ(types_of(world.take_seen()), "TDCZ") << "the cancel was for one statement";
}

TEST(SessionCancel, ItFailsTheTransactionThatAsksForThePosition) {  // F42, D24
  ScriptedSession world;
  world.query("BEGIN");
  world.query("INSERT INTO t VALUES (1)");
  world.server_completes("BEGIN", wire::TxStatus::kInTransaction);
  world.client("");
  world.server_completes("INSERT 0 1", wire::TxStatus::kInTransaction);
  world.take_seen();
  world.take_sent();
  world.has_token = false;
  EXPECT_EQ(world.query("SHOW fairlead.token"), Pause::kServer);
  world.session().on_cancel();
  world.client("");
  EXPECT_EQ(types_of(world.take_sent()), "Q") << "the server has to fail, too";
  world.server_fails("26000", "it does not exist", wire::TxStatus::kFailed);
  const std::string seen = world.take_seen();
  EXPECT_EQ(types_of(seen), "EZ");
  EXPECT_NE(seen.find("57014"), std::string::npos) << seen;
}

TEST(SessionCancel, WhoWaitsForAReportCanCancelThat) {  // F42
  ScriptedSession world;
  world.shows_reports = true;
  EXPECT_EQ(world.query("SHOW fairlead.routes"), Pause::kServer);
  world.session().on_cancel();
  EXPECT_EQ(world.waits_ended, 1u);
  EXPECT_EQ(world.client(""), Pause::kInput);
  const std::string seen = world.take_seen();
  EXPECT_EQ(types_of(seen), "EZ");
  EXPECT_NE(seen.find("57014"), std::string::npos) << seen;
}

}  // namespace
}  // namespace fairlead::core
