// What becomes of a read that a replica has refused, because it writes.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace fairlead::core
