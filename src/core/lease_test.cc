#include "core/lease.h"

#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

using namespace std::chrono_literals;

constexpr Time kObserved = Time{} + 10s;

ServerState opened(Time at) {
  ServerState server;
  server.epoch = 3;
  server.opened_at = at;
  return server;
}

/// Node 0 is the primary in epoch 3.
class CheckLease : public ::testing::Test {
 protected:
  CheckLease() {
    cluster_.primary = NodeIndex{0};
    cluster_.epoch = 3;
    cluster_.nodes.resize(2);
  }
  LeaseCheck check(Target target, const ServerState& server, Time opened_before = {}) const {
    return check_lease(target, server, opened_before, cluster_);
  }

  ClusterSnapshot cluster_;
};

TEST_F(CheckLease, AServerIsUsedForTheRoleThatItSaysItHas) {  // E4
  ServerState server = opened(kObserved);
  EXPECT_EQ(check(Target::kPrimary, server), LeaseCheck::kGood);  // It does not say.
  EXPECT_EQ(check(Target::kReplica, server), LeaseCheck::kGood);
  server.on_parameter("in_hot_standby", "on");
  EXPECT_EQ(check(Target::kPrimary, server), LeaseCheck::kWrongRole);
  EXPECT_EQ(check(Target::kReplica, server), LeaseCheck::kGood);
}

TEST_F(CheckLease, APromotedServerIsBelievedAtOnce) {  // E5
  ServerState server = opened(kObserved);
  server.on_parameter("in_hot_standby", "on");
  server.on_parameter("in_hot_standby", "off");
  EXPECT_EQ(check(Target::kReplica, server), LeaseCheck::kWrongRole);
  EXPECT_EQ(check(Target::kPrimary, server), LeaseCheck::kGood);
}

TEST_F(CheckLease, WhatWasObservedHoldsForServersThatWereOpenThen) {  // D16
  for (const Target target : {Target::kPrimary, Target::kReplica}) {
    EXPECT_EQ(check(target, opened(kObserved - 1us), kObserved), LeaseCheck::kGood);
    EXPECT_EQ(check(target, opened(kObserved), kObserved), LeaseCheck::kTooNew);
    EXPECT_EQ(check(target, opened(kObserved + 1s), kObserved), LeaseCheck::kTooNew);
  }
}

TEST_F(CheckLease, NobodyGetsAServerOfAPrimaryThatIsNoneAnyMore) {  // E1, E3
  ServerState server = opened(kObserved);
  server.on_parameter("in_hot_standby", "off");
  cluster_.primary = NodeIndex{1};
  EXPECT_EQ(check(Target::kPrimary, server), LeaseCheck::kOutdated) << "whatever it says";
  cluster_.primary.reset();
  EXPECT_EQ(check(Target::kPrimary, server), LeaseCheck::kOutdated);
}

TEST_F(CheckLease, AServerIsOfTheVeryNodeThatWasLookedAt) {  // E4, D7, D20
  ServerState server = opened(kObserved);
  server.postmaster_started_us = 17;
  EXPECT_EQ(check(Target::kPrimary, server), LeaseCheck::kGood) << "nobody knows better";
  cluster_.nodes[0].postmaster_started_us = 17;
  EXPECT_EQ(check(Target::kPrimary, server), LeaseCheck::kGood);
  server.postmaster_started_us = 18;
  for (const Target target : {Target::kPrimary, Target::kReplica})
    EXPECT_EQ(check(target, server), LeaseCheck::kOtherNode);
  server.postmaster_started_us.reset();
  EXPECT_EQ(check(Target::kPrimary, server), LeaseCheck::kGood) << "older than PostgreSQL 14";
}

TEST_F(CheckLease, NothingBeginsOnAPrimaryThatAsksForAPause) {  // E26
  cluster_.holds_writes = true;
  ServerState server = opened(kObserved);
  EXPECT_EQ(check(Target::kPrimary, server), LeaseCheck::kHeld);
  server.node = NodeIndex{1};
  server.on_parameter("in_hot_standby", "on");
  EXPECT_EQ(check(Target::kReplica, server), LeaseCheck::kGood);
}

TEST_F(CheckLease, WhatAReplacedPrimaryDoesIsGivenUp) {  // E3, E26
  const ServerState server = opened(kObserved);
  EXPECT_FALSE(is_superseded(Target::kPrimary, server, cluster_));
  cluster_.primary.reset();
  EXPECT_FALSE(is_superseded(Target::kPrimary, server, cluster_)) << "it may only be silent";
  cluster_.epoch = 4;
  EXPECT_TRUE(is_superseded(Target::kPrimary, server, cluster_));
  cluster_.primary = NodeIndex{0};
  EXPECT_TRUE(is_superseded(Target::kPrimary, server, cluster_)) << "it was opened before";
  EXPECT_FALSE(is_superseded(Target::kReplica, server, cluster_));
}

TEST_F(CheckLease, NorOneOfAnotherEpoch) {  // E3
  cluster_.epoch = 4;
  ServerState server = opened(kObserved);
  EXPECT_EQ(check(Target::kPrimary, server), LeaseCheck::kOutdated);
  server.node = NodeIndex{1};
  server.on_parameter("in_hot_standby", "on");
  EXPECT_EQ(check(Target::kReplica, server), LeaseCheck::kGood)
      << "a replica goes on under a new primary";
}

TEST(FailedLogin, AReplicasRefusalIsNeverTheLastWord) {  // E20
  for (const std::string_view refusal : {"3D000", "28P01", "28000", "53300", "XX000", "58030"}) {
    EXPECT_EQ(judge_failed_login(Target::kReplica, refusal, true),
              (FailedLogin{.is_nodes_trouble = false, .may_go_on = true}))
        << refusal;
  }
}

TEST(FailedLogin, ThePrimarysIsUnlessItOnlyHasNoRoomOrIsNotThere) {  // E20
  for (const std::string_view refusal : {"3D000", "28P01", "28000", "XX000", "58030"})
    EXPECT_EQ(judge_failed_login(Target::kPrimary, refusal, true), FailedLogin{}) << refusal;
  EXPECT_EQ(judge_failed_login(Target::kPrimary, "53300", true),
            (FailedLogin{.is_nodes_trouble = false, .may_go_on = true}));
}

TEST(FailedLogin, ANodeThatIsLeavingOrSilentIsToBeLookedAtAgain) {  // E7
  constexpr FailedLogin kLookedAt{.is_nodes_trouble = true, .may_go_on = true};
  for (const Target target : {Target::kPrimary, Target::kReplica}) {
    EXPECT_EQ(judge_failed_login(target, "57P03", true), kLookedAt);
    EXPECT_EQ(judge_failed_login(target, "57P01", true), kLookedAt);
    EXPECT_EQ(judge_failed_login(target, "08006", false), kLookedAt);
    EXPECT_EQ(judge_failed_login(target, "28000", false), FailedLogin{}) << "no credentials for it";
    EXPECT_EQ(judge_failed_login(target, "0A000", false), FailedLogin{});
  }
}

}  // namespace
}  // namespace fairlead::core
