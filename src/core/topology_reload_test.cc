// What is remembered when the list of nodes changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/topology_fixture.h"

namespace fairlead::core {
namespace {

TEST(TopologyReload, MemorySurvivesAReloadThatChangesTheList) {
  ScriptedCluster cluster;
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

/// `a` is the primary, and is called `moved` from now on.
class TopologyRename : public ::testing::Test {
 protected:
  TopologyRename() {
    cluster_.primary("a", 1);
    cluster_.replica("b", 1);
    before_ = cluster_.look();
  }
  ScriptedCluster::Node& rename() {
    const NodeObservation last = cluster_.node("a").answer;
    cluster_.primary("moved", 1).answer = last;
    return cluster_.node("moved");
  }

  ScriptedCluster cluster_;
  ClusterSnapshot before_;
};

TEST_F(TopologyRename, TheSameProcessUnderAnotherNameIsStillThePrimary) {  // E1, E3
  rename();
  cluster_.remove("a");
  const ClusterSnapshot now = cluster_.look();
  EXPECT_EQ(primary_of(now), "moved") << now.alarm;
  EXPECT_GT(now.epoch, before_.epoch) << "servers that were opened by the old name are closed";
  EXPECT_TRUE(now.successions.empty());
  EXPECT_EQ(status(now, "b").lag.known, Lag::Known::kAtMost)
      << "its past is that of the same server";
  EXPECT_EQ(cluster_.look().epoch, now.epoch);
}

TEST_F(TopologyRename, ItsOldNameMayKeepItsNumber) {
  cluster_.node("a").gone = true;
  cluster_.node("a").has_answered = false;
  EXPECT_EQ(primary_of(cluster_.look()), "none") << "the new name has not answered yet";
  rename();
  EXPECT_EQ(primary_of(cluster_.look()), "moved");
}

TEST_F(TopologyRename, AnotherProcessOnThatTimelineIsNot) {  // E2
  rename();
  cluster_.restart("moved");
  cluster_.remove("a");
  const ClusterSnapshot now = cluster_.look();
  EXPECT_EQ(primary_of(now), "none");
  EXPECT_THAT(now.alarm, HasSubstr("a promotion would have begun a new timeline"));
}

TEST_F(TopologyRename, AsLongAsTheOldNameIsListedTheNewOneIsNotBelieved) {  // E2
  rename();
  cluster_.down("a");
  EXPECT_EQ(primary_of(cluster_.look()), "none");
}

}  // namespace
}  // namespace fairlead::core
