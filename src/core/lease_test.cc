#include "core/lease.h"

#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

using namespace std::chrono_literals;

constexpr Time kObserved = Time{} + 10s;

ServerState opened(Time at) {
  ServerState server;
  server.opened_at = at;
  return server;
}

TEST(CheckLease, AServerIsUsedForTheRoleThatItSaysItHas) {  // E4
  ServerState server = opened(kObserved);
  EXPECT_EQ(check_lease(Target::kPrimary, server, {}), LeaseCheck::kGood);  // It does not say.
  EXPECT_EQ(check_lease(Target::kReplica, server, {}), LeaseCheck::kGood);
  server.on_parameter("in_hot_standby", "on");
  EXPECT_EQ(check_lease(Target::kPrimary, server, {}), LeaseCheck::kWrongRole);
  EXPECT_EQ(check_lease(Target::kReplica, server, {}), LeaseCheck::kGood);
}

TEST(CheckLease, APromotedServerIsBelievedAtOnce) {  // E5
  ServerState server = opened(kObserved);
  server.on_parameter("in_hot_standby", "on");
  server.on_parameter("in_hot_standby", "off");
  EXPECT_EQ(check_lease(Target::kReplica, server, {}), LeaseCheck::kWrongRole);
  EXPECT_EQ(check_lease(Target::kPrimary, server, {}), LeaseCheck::kGood);
}

TEST(CheckLease, WhatWasObservedHoldsForServersThatWereOpenThen) {  // D16
  for (const Target target : {Target::kPrimary, Target::kReplica}) {
    EXPECT_EQ(check_lease(target, opened(kObserved - 1us), kObserved), LeaseCheck::kGood);
    EXPECT_EQ(check_lease(target, opened(kObserved), kObserved), LeaseCheck::kTooNew);
    EXPECT_EQ(check_lease(target, opened(kObserved + 1s), kObserved), LeaseCheck::kTooNew);
  }
}

}  // namespace
}  // namespace fairlead::core
