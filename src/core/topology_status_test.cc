#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/topology.h"
#include "core/topology_fixture.h"

namespace fairlead::core {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

TEST(TopologyStatus, WithAllDownNothingIsUsableAndTheReasonIsTold) {
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 1);
  cluster.look();
  cluster.down("a");
  cluster.down("b", "no answer within the deadline");
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_EQ(status(seen, "b").role, NodeRole::kReplica) << "its last answer is remembered";
  EXPECT_FALSE(status(seen, "b").usable_for_reads);
  EXPECT_EQ(status(seen, "b").reason, "no answer within the deadline");
}

TEST(TopologyStatus, WhyThereIsNoPrimaryNamesWhatIsWrongWithEachNodeThatIsNotUp) {
  ScriptedCluster cluster;
  EXPECT_EQ(ClusterSnapshot{}.why_no_primary(), "no node has been proven to be the primary yet");
  cluster.primary("a", 1);
  cluster.replica("b", 1);
  cluster.replica("c", 1);
  cluster.look();
  cluster.down("a", "the TLS handshake failed");
  cluster.down("b", "no answer within the deadline");
  const ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(seen.why_no_primary(),
            "no primary: no node accepts writes; a: the TLS handshake failed; b: no answer within "
            "the deadline");
  EXPECT_EQ(seen.alarm, "no primary: no node accepts writes") << "reasons that change are no news";
}

TEST(TopologyStatus, BeforeAnyAnswerNothingIsKnown) {
  ScriptedCluster cluster;
  cluster.node("a").has_answered = false;
  cluster.down("a", "not reached yet");
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_EQ(status(seen, "a").role, NodeRole::kUnknown);
  EXPECT_EQ(status(seen, "a").reason, "not reached yet");
  EXPECT_EQ(seen.epoch, 0u);
}

TEST(TopologyStatus, WhoWaitsForANodeThatIsOnlySuspectGoesOnWaiting) {  // E7
  ScriptedCluster cluster;
  cluster.primary("a", 1).state = NodeState::kSuspect;
  cluster.replica("b", 1);
  cluster.down("b");
  const ClusterSnapshot seen = cluster.look();
  EXPECT_FALSE(status(seen, "a").is_unresponsive());
  EXPECT_TRUE(status(seen, "b").is_unresponsive());
}

TEST(TopologyStatus, ASnapshotSaysForHowLongItCounts) {
  ScriptedCluster cluster({.snapshot_age_max = seconds(7)});
  cluster.primary("a", 1);
  EXPECT_EQ(cluster.look().age_max, seconds(7));
}

TEST(TopologyStatus, AnAnswerThatHasGrownOldIsNoEvidence) {
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.look();
  cluster.node("a").answers = false;
  for (int i = 0; i < 20; ++i) cluster.look();
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_THAT(status(seen, "a").reason, HasSubstr("s ago"));
}

TEST(TopologyStatus, ARestartOrReplayThatGoesBackwardsIsANewIncarnation) {
  ScriptedCluster cluster;
  cluster.primary("a", 1, 0x413A630);
  cluster.replica("b", 1, 0x413A630);
  EXPECT_EQ(status(cluster.look(), "b").incarnation, 1u);
  cluster.replica("b", 1, 0x413A700);
  EXPECT_EQ(status(cluster.look(), "b").incarnation, 1u);
  cluster.restart("b");
  cluster.replica("b", 1, 0x4000E88);  // The example of D7.
  ClusterSnapshot restarted = cluster.look();
  EXPECT_EQ(status(restarted, "b").incarnation, 2u);
  EXPECT_EQ(status(restarted, "b").replay_lsn, Lsn{0x4000E88});
  EXPECT_FALSE(within(status(restarted, "b").lag, seconds(1'000'000)));
  cluster.replica("b", 1, 0x4000E00);  // The same postmaster, after a crash of a backend.
  EXPECT_EQ(status(cluster.look(), "b").incarnation, 3u);
  EXPECT_EQ(status(cluster.look(), "b").incarnation, 3u);
}

TEST(TopologyStatus, LagIsMeasuredAgainstThePrimarysOwnPast) {
  ScriptedCluster cluster;
  for (uint64_t s = 0; s < 10; ++s) {
    cluster.primary("a", 1, 1000 + s * 100);
    cluster.replica("b", 1, std::min<uint64_t>(1000 + s * 100, 1400));
    ClusterSnapshot seen = cluster.look();
    auto behind = std::chrono::round<seconds>(status(seen, "b").lag.time);
    EXPECT_EQ(behind, seconds(s <= 4 ? 0 : s - 4)) << s;
  }
  cluster.down("a");
  cluster.look();
  EXPECT_EQ(std::chrono::round<seconds>(status(cluster.look(), "b").lag.time), seconds(5))
      << "nobody falls behind a primary that writes nothing";
}

TEST(TopologyStatus, AReplicaThatHidesItsTimelineIsNotUsable) {
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 0);
  EXPECT_THAT(status(cluster.look(), "b").reason, HasSubstr("which timeline"));
}

TEST(TopologyStatus, TheOldPrimarysPastSaysNothingAboutLagBehindTheNewOne) {
  ScriptedCluster cluster;
  for (uint64_t position : {1000, 2000, 3000}) {
    cluster.primary("a", 1, position);
    cluster.replica("b", 1, position);
    cluster.replica("c", 1, 2500);
    cluster.look();
  }
  cluster.down("a");
  cluster.primary("b", 2, 3100);
  EXPECT_EQ(status(cluster.look(), "c").lag.known, Lag::Known::kNothing)
      << "positions of different timelines are not compared";
  cluster.replica("c", 2, 2500);
  EXPECT_EQ(status(cluster.look(), "c").lag.known, Lag::Known::kAtLeast);
  cluster.replica("c", 2, 3100);
  EXPECT_TRUE(within(status(cluster.look(), "c").lag, seconds(0)));
}

TEST(TopologyStatus, AReplicaThatTheManagerKeepsFromReadsGetsNone) {
  ScriptedCluster cluster;
  cluster.primary("a", 1).kept_from_reads = "is tagged noloadbalance";
  cluster.replica("b", 1).kept_from_reads = "is tagged noloadbalance";
  ClusterSnapshot seen = cluster.look();
  EXPECT_FALSE(status(seen, "b").usable_for_reads);
  EXPECT_EQ(status(seen, "b").reason, "is tagged noloadbalance");
  EXPECT_TRUE(status(seen, "a").usable_for_reads) << "it answers what no replica may";
  cluster.node("b").kept_from_reads.clear();
  EXPECT_TRUE(status(cluster.look(), "b").usable_for_reads);
}

TEST(TopologyStatus, ANodeThatLeftTheListIsNeitherUsedNorBlamed) {
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 1);
  cluster.look();
  cluster.down("b", "");
  cluster.node("b").gone = true;
  ClusterSnapshot seen = cluster.look();
  EXPECT_TRUE(status(seen, "b").gone);
  EXPECT_FALSE(status(seen, "b").usable_for_reads);
  EXPECT_EQ(status(seen, "b").reason, "is not in the list of nodes any more");
  EXPECT_EQ(seen.why_no_primary(), "no node has been proven to be the primary yet");
  EXPECT_EQ(primary_of(seen), "a");
}

}  // namespace
}  // namespace fairlead::core
