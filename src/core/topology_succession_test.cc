// What is known to be kept and lost of an old primary's writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/topology_fixture.h"

namespace fairlead::core {
namespace {

/// `a` was at 1000 at the first look and at 2000 at the second; then `b` took over.
class TopologySuccession : public ::testing::Test {
 protected:
  ClusterSnapshot promote(uint64_t replayed, uint64_t promoted_at) {
    cluster_.primary("a", 1, 1000);
    cluster_.replica("b", 1, replayed);
    first_ = cluster_.look();
    cluster_.primary("a", 1, 2000);
    second_ = cluster_.look();
    cluster_.down("a");
    cluster_.primary("b", 2, 3000).answer.promoted_at = Lsn{promoted_at};
    return cluster_.look();
  }

  ScriptedCluster cluster_;
  ClusterSnapshot first_, second_;
};

TEST_F(TopologySuccession, WhatWasAcknowledgedBeforeThePrimaryWasSeenBelowTheEndIsKept) {  // E24
  const ClusterSnapshot now = promote(900, 1500);
  const Time seen_at_1000 = first_.position.sampled_at;
  EXPECT_EQ(now.lost_above(seen_at_1000 - Duration(1), first_.epoch), std::nullopt);
  EXPECT_EQ(now.lost_above(seen_at_1000, first_.epoch), Lsn{1500}) << "it may lie between";
  EXPECT_EQ(now.lost_above(second_.position.sampled_at, first_.epoch), Lsn{1500});
  EXPECT_EQ(now.lost_above(now.decided_at, now.epoch), std::nullopt) << "the new one's own";
}

TEST_F(TopologySuccession, NothingIsLostOfWhatTheNewPrimaryHadAll) {  // E24
  const ClusterSnapshot now = promote(2000, 2000);
  EXPECT_EQ(now.lost_above(second_.position.sampled_at - Duration(1), first_.epoch), std::nullopt);
}

TEST_F(TopologySuccession, WhatAReplicaWasSeenToHaveReplayedIsKeptWhereNothingElseIsKnown) {
  const ClusterSnapshot now = promote(1200, 0);
  ASSERT_EQ(now.successions.size(), 1u);
  EXPECT_EQ(now.successions[0].left_at, Lsn{1200});
}

TEST_F(TopologySuccession, OfASuccessorThatNobodyHasWatchedNothingIsKnown) {
  cluster_.primary("a", 1, 1000);
  first_ = cluster_.look();
  cluster_.down("a");
  cluster_.primary("b", 2, 3000).answer.promoted_at = Lsn{1500};
  const ClusterSnapshot now = cluster_.look();
  EXPECT_EQ(now.lost_above(Time{} + seconds(1), first_.epoch), Lsn{}) << "it may be another branch";
}

TEST_F(TopologySuccession, ItsHistoryIsThatOfTheTimelinesThatWereWatched) {  // D20
  ClusterSnapshot now = promote(900, 1500);
  ASSERT_TRUE(now.history);
  EXPECT_TRUE(contains(2, *now.history, 1, Lsn{1500}));
  EXPECT_FALSE(contains(2, *now.history, 1, Lsn{1501}));
  cluster_.replica("a", 2, 3000);
  cluster_.look();
  cluster_.down("b");
  cluster_.primary("a", 3, 3500).answer.promoted_at = Lsn{3200};
  now = cluster_.look();
  EXPECT_TRUE(contains(3, *now.history, 2, Lsn{3200}));
  EXPECT_FALSE(contains(3, *now.history, 1, Lsn{1501})) << "it was lost before";
  EXPECT_EQ(now.lost_above(second_.position.sampled_at, first_.epoch), Lsn{1500});
}

/// `a` was at 1000; `b` and `c` follow it. `c` is promoted, and dies unseen.
class TopologyGap : public ::testing::Test {
 protected:
  TopologyGap() {
    cluster_.primary("a", 1, 1000);
    cluster_.replica("b", 1, 1000);
    first_ = cluster_.look();
    cluster_.primary("a", 1, 1800);
    second_ = cluster_.look();
    cluster_.down("a");
    cluster_.replica("b", 2, 1500);  // `c` left timeline 1 at 1200.
    cluster_.look();
  }
  ClusterSnapshot promote_b() {
    cluster_.primary("b", 3, 3000).answer.promoted_at = Lsn{2000};
    return cluster_.look();
  }

  ScriptedCluster cluster_;
  ClusterSnapshot first_, second_;
};

TEST_F(TopologyGap, WithATimelineInBetweenNothingIsKnownOfTheOldPrimarysLastWrites) {  // E24, D20
  const ClusterSnapshot now = promote_b();
  ASSERT_EQ(primary_of(now), "b");
  EXPECT_EQ(now.lost_above(second_.position.sampled_at - Duration(1), first_.epoch), Lsn{})
      << "2000 is a position on timeline 2";
  EXPECT_FALSE(now.history) << "nor of any position of it";
}

TEST_F(TopologyGap, TheHistoryOfTheNewPrimaryTellsWhereItWasLeft) {  // E24, D20
  cluster_.node("b").answer.history = TimelineHistory{{{1, Lsn{1200}}, {2, Lsn{2000}}}};
  const ClusterSnapshot now = promote_b();
  EXPECT_EQ(now.lost_above(first_.position.sampled_at - Duration(1), first_.epoch), std::nullopt);
  EXPECT_EQ(now.lost_above(second_.position.sampled_at, first_.epoch), Lsn{1200});
}

}  // namespace
}  // namespace fairlead::core
