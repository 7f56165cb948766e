#include "core/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/topology_fixture.h"

namespace fairlead::core {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

TEST(Topology, FindsThePrimaryAndItsReplicas) {  // E1
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 1);
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "a");
  EXPECT_EQ(seen.epoch, 1u);
  EXPECT_EQ(seen.timeline, 1u);
  EXPECT_EQ(seen.system_identifier, kOurs);
  EXPECT_EQ(seen.alarm, "");
  EXPECT_EQ(status(seen, "a").role, NodeRole::kPrimary);
  EXPECT_EQ(status(seen, "b").role, NodeRole::kReplica);
  EXPECT_TRUE(status(seen, "b").usable_for_reads) << status(seen, "b").reason;
  EXPECT_TRUE(within(status(seen, "b").lag, seconds(0)));
  EXPECT_EQ(cluster.look().epoch, 1u) << "nothing changed";
}

TEST(Topology, FailsOverToThePromotedReplicaAndBumpsTheEpoch) {  // E3
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 1);
  cluster.replica("c", 1);
  cluster.look();
  cluster.down("a");
  ClusterSnapshot without = cluster.look();
  EXPECT_EQ(primary_of(without), "none");
  EXPECT_THAT(without.alarm, HasSubstr("no node accepts writes"));
  EXPECT_TRUE(status(without, "b").usable_for_reads) << "reads go on";
  EXPECT_TRUE(within(status(without, "b").lag, seconds(0)));
  cluster.primary("b", 2);
  ClusterSnapshot after = cluster.look();
  EXPECT_EQ(primary_of(after), "b");
  EXPECT_EQ(after.epoch, without.epoch + 1);
  EXPECT_FALSE(status(after, "c").usable_for_reads);
  EXPECT_EQ(status(after, "c").reason, "follows timeline 1, the cluster is on 2");
  cluster.replica("c", 2);
  EXPECT_TRUE(status(cluster.look(), "c").usable_for_reads);
}

TEST(Topology, APrimaryThatOnlyStoppedAnsweringKeepsItsEpoch) {
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  uint64_t epoch = cluster.look().epoch;
  cluster.down("a");
  cluster.look();
  cluster.primary("a", 1);
  EXPECT_EQ(cluster.look().epoch, epoch);
  cluster.restart("a");
  EXPECT_EQ(cluster.look().epoch, epoch + 1) << "a restarted one does not";
}

TEST(Topology, TheLastPositionOfAPrimaryThatIsGoneStillSaysWhatReadsMustSee) {  // D14, D15
  ScriptedCluster cluster;
  cluster.primary("a", 1, 1000).answer.insert_lsn = Lsn{1064};  // Committed, and not flushed yet.
  cluster.replica("b", 1, 1000);
  const PrimaryPosition seen = cluster.look().position;
  EXPECT_EQ(seen.lsn, Lsn{1064});
  EXPECT_GT(seen.sampled_at, Time{});
  cluster.down("a");
  const ClusterSnapshot alone = cluster.look();
  EXPECT_FALSE(alone.primary);
  EXPECT_EQ(alone.position.lsn, Lsn{1064});
  EXPECT_EQ(alone.position.sampled_at, seen.sampled_at);
}

TEST(Topology, ASuspectPrimaryIsStillThePrimary) {
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.look();
  cluster.node("a").state = NodeState::kSuspect;
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "a");
  EXPECT_EQ(status(seen, "a").state, NodeState::kSuspect);
}

TEST(Topology, AnOldPrimaryThatComesBackIsRefusedAndReported) {  // E2, E13
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 1);
  cluster.look();
  cluster.down("a");
  cluster.primary("b", 2);
  uint64_t epoch = cluster.look().epoch;
  cluster.restart("b");  // What was seen of its promotion is gone; what was decided is not.
  ++epoch;
  cluster.primary("a", 1);
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "b");
  EXPECT_EQ(seen.epoch, epoch);
  EXPECT_EQ(status(seen, "a").role, NodeRole::kRefused);
  EXPECT_FALSE(status(seen, "a").usable_for_reads);
  EXPECT_THAT(seen.alarm, HasSubstr("a is an old primary that came back on timeline 1"));
}

TEST(Topology, AnOldPrimaryIsRefusedEvenWhenTheNewOneIsDown) {
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 1);
  cluster.look();
  cluster.down("a");
  cluster.primary("b", 2);
  cluster.look();
  cluster.down("b");
  cluster.primary("a", 1);
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_THAT(seen.alarm, HasSubstr("but b was the primary on timeline 2 since"));
}

TEST(Topology, AnOldPrimaryIsRefusedWhenAReplicaFollowsANewerTimeline) {
  ScriptedCluster cluster;  // Just started: it remembers nothing.
  cluster.primary("a", 1);
  cluster.replica("c", 2);
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_THAT(seen.alarm, HasSubstr("c follows the newer timeline 2"));
}

TEST(Topology, SplitBrainOnOneTimelineStopsWritesFencesAndLeavesReads) {  // E2
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 1);
  cluster.replica("c", 1);
  uint64_t epoch = cluster.look().epoch;
  cluster.restart("b");
  cluster.primary("b", 1);
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_EQ(seen.epoch, epoch + 1) << "servers of the old epoch are closed";
  EXPECT_THAT(seen.alarm, HasSubstr("split brain: a and b both accept writes on timeline 1"));
  EXPECT_FALSE(status(seen, "a").usable_for_reads);
  EXPECT_FALSE(status(seen, "b").usable_for_reads);
  EXPECT_TRUE(status(seen, "c").usable_for_reads);
  EXPECT_EQ(cluster.look().epoch, epoch + 1) << "fenced once";
  cluster.down("b");
  EXPECT_EQ(primary_of(cluster.look()), "a");
}

TEST(Topology, TheOtherHalfOfASplitBrainDoesNotInheritWhenThePrimaryDies) {
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.look();
  cluster.down("a");
  cluster.primary("b", 1);
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_THAT(seen.alarm, HasSubstr("a promotion would have begun a new timeline"));
}

TEST(Topology, OneServerListedTwiceIsNamedAsSuch) {
  ScriptedCluster cluster;
  cluster.primary("10.0.0.1:5432", 1).answer.postmaster_started_us = 5;
  cluster.primary("localhost:5432", 1).answer.postmaster_started_us = 5;
  EXPECT_THAT(cluster.look().alarm, HasSubstr("is one server listed twice?"));
}

TEST(Topology, TheHigherTimelineWinsWhenItsHistoryContainsTheLower) {  // E2
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.primary("b", 3).answer.history = TimelineHistory{{{1, Lsn{900}}, {2, Lsn{950}}}};
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "b");
  EXPECT_TRUE(seen.history.has_value());
  EXPECT_EQ(status(seen, "a").role, NodeRole::kRefused);
}

TEST(Topology, UnrelatedOrUnknownTimelinesAreASplitBrain) {
  for (bool is_history_known : {true, false}) {
    ScriptedCluster cluster;
    cluster.primary("a", 2);
    ScriptedCluster::Node& b = cluster.primary("b", 3);
    if (is_history_known) b.answer.history = TimelineHistory{{{1, Lsn{900}}}};
    ClusterSnapshot seen = cluster.look();
    EXPECT_EQ(primary_of(seen), "none");
    EXPECT_THAT(seen.alarm, HasSubstr(is_history_known ? "is not its ancestor"
                                                       : "is not known to be its ancestor"));
  }
}

TEST(Topology, HavingWatchedThePromotionProvesDescentWithoutAHistory) {
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 1);
  cluster.look();
  cluster.primary("b", 2);  // The same postmaster; a goes on accepting writes.
  EXPECT_EQ(primary_of(cluster.look()), "b");
}

TEST(Topology, AnotherPostmasterOnThatAddressProvesNothing) {
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 1);
  cluster.look();
  cluster.restart("b");
  cluster.primary("b", 2);
  EXPECT_EQ(primary_of(cluster.look()), "none");
}

TEST(Topology, ANewTimelineThatDoesNotDescendFromOursIsRefused) {
  ScriptedCluster cluster;
  cluster.primary("a", 2);
  cluster.look();
  cluster.down("a");
  cluster.primary("b", 3).answer.history = TimelineHistory{{{1, Lsn{900}}}};
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_THAT(seen.alarm, HasSubstr("does not descend from the cluster's timeline 2"));
}

TEST(Topology, ANodeOfAnotherClusterIsRefusedAndHarmsNobody) {
  for (bool is_in_recovery : {true, false}) {
    ScriptedCluster cluster;
    cluster.primary("a", 1);
    cluster.replica("b", 1);
    cluster.look();
    cluster.replica("c", 9).answer.system_identifier = kOthers;
    cluster.node("c").answer.in_recovery = is_in_recovery;
    ClusterSnapshot seen = cluster.look();
    EXPECT_EQ(primary_of(seen), "a");
    EXPECT_TRUE(status(seen, "b").usable_for_reads);
    EXPECT_EQ(status(seen, "c").role, NodeRole::kRefused);
    EXPECT_THAT(seen.alarm, HasSubstr("c belongs to another cluster (system identifier 9000009"));
  }
}

TEST(Topology, TwoClustersAtFirstSightAreNotGuessedAt) {
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.primary("b", 1).answer.system_identifier = kOthers;
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_EQ(seen.system_identifier, 0u);
  EXPECT_FALSE(status(seen, "a").usable_for_reads);
}

TEST(Topology, AConfiguredIdentifierDecidesAtFirstSight) {
  ScriptedCluster cluster(TopologyConfig{.system_identifier = kOurs});
  cluster.primary("a", 1);
  cluster.primary("b", 1).answer.system_identifier = kOthers;
  EXPECT_EQ(primary_of(cluster.look()), "a");
}

TEST(Topology, AManagedPrimaryNeedsBothWords) {  // E1
  ScriptedCluster cluster(TopologyConfig{.managed = true});
  cluster.primary("a", 1).manager = ManagerWord::kNotLeader;
  cluster.replica("b", 1).manager = ManagerWord::kLeader;
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none") << "b is named and does not accept writes yet";
  EXPECT_THAT(seen.alarm, HasSubstr("the manager does not name it"));
  cluster.primary("b", 2).answer.history = TimelineHistory{{{1, Lsn{900}}}};
  EXPECT_EQ(primary_of(cluster.look()), "b");
}

TEST(Topology, ASilentManagerTakesNothingFromAnUnchangedPrimary) {
  ScriptedCluster cluster(TopologyConfig{.managed = true});
  cluster.primary("a", 1).manager = ManagerWord::kLeader;
  uint64_t epoch = cluster.look().epoch;
  cluster.node("a").manager = ManagerWord::kNone;
  EXPECT_EQ(primary_of(cluster.look()), "a");
  cluster.node("a").manager = ManagerWord::kNotLeader;
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_EQ(seen.epoch, epoch + 1) << "it is fenced";
  cluster.node("a").manager = ManagerWord::kNone;
  EXPECT_EQ(primary_of(cluster.look()), "none") << "silence does not bring it back";
}

TEST(Topology, ASilentManagerIsNotEnoughForAPrimaryThatWasOutOfSight) {  // E8
  for (const int seconds_away : {25, 35}) {
    ScriptedCluster cluster(TopologyConfig{.managed = true, .manager_ttl = seconds(30)});
    cluster.primary("a", 1).manager = ManagerWord::kLeader;
    uint64_t epoch = cluster.look().epoch;
    cluster.node("a").manager = ManagerWord::kNone;
    for (int i = 0; i < 60; ++i) EXPECT_EQ(primary_of(cluster.look()), "a") << "it is in sight";
    cluster.down("a");
    for (int i = 0; i < seconds_away; ++i) cluster.look();
    cluster.primary("a", 1);
    ClusterSnapshot seen = cluster.look();
    EXPECT_EQ(primary_of(seen), seconds_away < 30 ? "a" : "none");
    EXPECT_EQ(seen.epoch, seconds_away < 30 ? epoch : epoch + 1);
    cluster.node("a").manager = ManagerWord::kLeader;
    EXPECT_EQ(primary_of(cluster.look()), "a");
  }
}

TEST(Topology, OnlyThePrimarysWishForAPauseCounts) {  // E26
  ScriptedCluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 1).answer.holds_writes = true;
  EXPECT_FALSE(cluster.look().holds_writes);
  cluster.node("a").answer.holds_writes = true;
  EXPECT_TRUE(cluster.look().holds_writes);
  cluster.down("a");
  EXPECT_FALSE(cluster.look().holds_writes) << "nobody is there to ask for it";
}

}  // namespace
}  // namespace fairlead::core
