#include "core/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace fairlead::core {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr uint64_t kOurs = 7'000'001;
constexpr uint64_t kOthers = 9'000'009;

/// A few nodes whose answers a test writes by hand. Every look() takes one second and renews the
/// answers of the nodes that are not down.
class Cluster {
 public:
  explicit Cluster(TopologyConfig config = {}) : topology_(config) {}

  struct Node {
    NodeObservation answer;
    NodeState state = NodeState::kUp;
    std::string health;
    ManagerWord manager = ManagerWord::kNone;
    bool has_answered = true;
    bool answers = true;  // False: the last answer grows old.
  };

  Node& primary(const std::string& name, uint32_t timeline, uint64_t flushed = 1000) {
    Node& node = nodes_[name];
    node.state = NodeState::kUp;
    node.answer.in_recovery = false;
    node.answer.timeline = timeline;
    node.answer.system_identifier = kOurs;
    node.answer.flush_lsn = node.answer.insert_lsn = Lsn{flushed};
    if (node.answer.postmaster_started_us == 0) restart(name);
    return node;
  }
  Node& replica(const std::string& name, uint32_t timeline, uint64_t replayed = 1000) {
    Node& node = primary(name, timeline, 0);
    node.answer.in_recovery = true;
    node.answer.replay_lsn = node.answer.receive_lsn = Lsn{replayed};
    return node;
  }
  void restart(const std::string& name) {
    nodes_[name].answer.postmaster_started_us = ++postmasters_;
  }
  void down(const std::string& name, std::string why = "connection refused") {
    nodes_[name].state = NodeState::kDown;
    nodes_[name].health = std::move(why);
  }
  Node& node(const std::string& name) { return nodes_[name]; }
  void remove(const std::string& name) { nodes_.erase(name); }

  ClusterSnapshot look() {
    now_ += seconds(1);
    std::vector<NodeView> views;
    for (auto& [name, node] : nodes_) {
      if (node.state != NodeState::kDown && node.answers) {
        node.answer.observed_started_at = now_ - Duration(2000);
        node.answer.observed_at = now_ - Duration(1000);
      }
      views.push_back({.name = name,
                       .state = node.state,
                       .health_reason = node.health,
                       .last = node.has_answered ? &node.answer : nullptr,
                       .manager = node.manager});
    }
    return topology_.decide(views, now_);
  }

 private:
  Topology topology_;
  std::map<std::string, Node> nodes_;  // In the order of their names.
  Time now_{seconds(1000)};
  int64_t postmasters_ = 0;
};

std::string primary_of(const ClusterSnapshot& snapshot) {
  return snapshot.primary ? snapshot.node(*snapshot.primary).name : "none";
}
const NodeStatus& status(const ClusterSnapshot& snapshot, std::string_view name) {
  for (const NodeStatus& node : snapshot.nodes)
    if (node.name == name) return node;
  static const NodeStatus kMissing;
  ADD_FAILURE() << "no node " << name;
  return kMissing;
}

TEST(Topology, FindsThePrimaryAndItsReplicas) {
  Cluster cluster;
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

TEST(Topology, FailsOverToThePromotedReplicaAndBumpsTheEpoch) {
  Cluster cluster;
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
  Cluster cluster;
  cluster.primary("a", 1);
  uint64_t epoch = cluster.look().epoch;
  cluster.down("a");
  cluster.look();
  cluster.primary("a", 1);
  EXPECT_EQ(cluster.look().epoch, epoch);
  cluster.restart("a");
  EXPECT_EQ(cluster.look().epoch, epoch + 1) << "a restarted one does not";
}

TEST(Topology, ASuspectPrimaryIsStillThePrimary) {
  Cluster cluster;
  cluster.primary("a", 1);
  cluster.look();
  cluster.node("a").state = NodeState::kSuspect;
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "a");
  EXPECT_EQ(status(seen, "a").state, NodeState::kSuspect);
}

TEST(Topology, AnOldPrimaryThatComesBackIsRefusedAndReported) {
  Cluster cluster;
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
  Cluster cluster;
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
  Cluster cluster;  // Just started: it remembers nothing.
  cluster.primary("a", 1);
  cluster.replica("c", 2);
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_THAT(seen.alarm, HasSubstr("c follows the newer timeline 2"));
}

TEST(Topology, SplitBrainOnOneTimelineStopsWritesFencesAndLeavesReads) {
  Cluster cluster;
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
  Cluster cluster;
  cluster.primary("a", 1);
  cluster.look();
  cluster.down("a");
  cluster.primary("b", 1);
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_THAT(seen.alarm, HasSubstr("a promotion would have begun a new timeline"));
}

TEST(Topology, OneServerListedTwiceIsNamedAsSuch) {
  Cluster cluster;
  cluster.primary("10.0.0.1:5432", 1).answer.postmaster_started_us = 5;
  cluster.primary("localhost:5432", 1).answer.postmaster_started_us = 5;
  EXPECT_THAT(cluster.look().alarm, HasSubstr("is one server listed twice?"));
}

TEST(Topology, TheHigherTimelineWinsWhenItsHistoryContainsTheLower) {
  Cluster cluster;
  cluster.primary("a", 1);
  cluster.primary("b", 3).answer.history = TimelineHistory{{{1, Lsn{900}}, {2, Lsn{950}}}};
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "b");
  EXPECT_TRUE(seen.history.has_value());
  EXPECT_EQ(status(seen, "a").role, NodeRole::kRefused);
}

TEST(Topology, UnrelatedOrUnknownTimelinesAreASplitBrain) {
  for (bool is_history_known : {true, false}) {
    Cluster cluster;
    cluster.primary("a", 2);
    Cluster::Node& b = cluster.primary("b", 3);
    if (is_history_known) b.answer.history = TimelineHistory{{{1, Lsn{900}}}};
    ClusterSnapshot seen = cluster.look();
    EXPECT_EQ(primary_of(seen), "none");
    EXPECT_THAT(seen.alarm, HasSubstr(is_history_known ? "is not its ancestor"
                                                       : "is not known to be its ancestor"));
  }
}

TEST(Topology, HavingWatchedThePromotionProvesDescentWithoutAHistory) {
  Cluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 1);
  cluster.look();
  cluster.primary("b", 2);  // The same postmaster; a goes on accepting writes.
  EXPECT_EQ(primary_of(cluster.look()), "b");
}

TEST(Topology, AnotherPostmasterOnThatAddressProvesNothing) {
  Cluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 1);
  cluster.look();
  cluster.restart("b");
  cluster.primary("b", 2);
  EXPECT_EQ(primary_of(cluster.look()), "none");
}

TEST(Topology, ANewTimelineThatDoesNotDescendFromOursIsRefused) {
  Cluster cluster;
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
    Cluster cluster;
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
  Cluster cluster;
  cluster.primary("a", 1);
  cluster.primary("b", 1).answer.system_identifier = kOthers;
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_EQ(seen.system_identifier, 0u);
  EXPECT_FALSE(status(seen, "a").usable_for_reads);
}

TEST(Topology, AConfiguredIdentifierDecidesAtFirstSight) {
  Cluster cluster(TopologyConfig{.system_identifier = kOurs});
  cluster.primary("a", 1);
  cluster.primary("b", 1).answer.system_identifier = kOthers;
  EXPECT_EQ(primary_of(cluster.look()), "a");
}

TEST(Topology, WithAllDownNothingIsUsableAndTheReasonIsTold) {
  Cluster cluster;
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

TEST(Topology, BeforeAnyAnswerNothingIsKnown) {
  Cluster cluster;
  cluster.node("a").has_answered = false;
  cluster.down("a", "not reached yet");
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_EQ(status(seen, "a").role, NodeRole::kUnknown);
  EXPECT_EQ(status(seen, "a").reason, "not reached yet");
  EXPECT_EQ(seen.epoch, 0u);
}

TEST(Topology, AnAnswerThatHasGrownOldIsNoEvidence) {
  Cluster cluster;
  cluster.primary("a", 1);
  cluster.look();
  cluster.node("a").answers = false;
  for (int i = 0; i < 20; ++i) cluster.look();
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none");
  EXPECT_THAT(status(seen, "a").reason, HasSubstr("s ago"));
}

TEST(Topology, ARestartOrReplayThatGoesBackwardsIsANewIncarnation) {
  Cluster cluster;
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

TEST(Topology, LagIsMeasuredAgainstThePrimarysOwnPast) {
  Cluster cluster;
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

TEST(Topology, AReplicaThatHidesItsTimelineIsNotUsable) {
  Cluster cluster;
  cluster.primary("a", 1);
  cluster.replica("b", 0);
  EXPECT_THAT(status(cluster.look(), "b").reason, HasSubstr("which timeline"));
}

TEST(Topology, AManagedPrimaryNeedsBothWords) {
  Cluster cluster(TopologyConfig{.managed = true});
  cluster.primary("a", 1).manager = ManagerWord::kNotLeader;
  cluster.replica("b", 1).manager = ManagerWord::kLeader;
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "none") << "b is named and does not accept writes yet";
  EXPECT_THAT(seen.alarm, HasSubstr("the manager does not name it"));
  cluster.primary("b", 2).answer.history = TimelineHistory{{{1, Lsn{900}}}};
  EXPECT_EQ(primary_of(cluster.look()), "b");
}

TEST(Topology, ASilentManagerTakesNothingFromAnUnchangedPrimary) {
  Cluster cluster(TopologyConfig{.managed = true});
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

TEST(Topology, MemorySurvivesAReloadThatChangesTheList) {
  Cluster cluster;
  cluster.primary("b", 2);
  uint64_t epoch = cluster.look().epoch;
  cluster.replica("a", 2);  // Sorts before b: every index moves.
  ClusterSnapshot seen = cluster.look();
  EXPECT_EQ(primary_of(seen), "b");
  EXPECT_EQ(seen.epoch, epoch);
  cluster.remove("b");
  cluster.primary("a", 1);
  EXPECT_EQ(primary_of(cluster.look()), "none") << "timeline 2 is remembered";
}

}  // namespace
}  // namespace fairlead::core
