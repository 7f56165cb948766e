#include "cluster/supervision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

using ::testing::ElementsAre;
using Kind = Need::Kind;

std::vector<NodeSight> healthy() {
  std::vector<NodeSight> nodes(3);
  nodes[0].is_primary = true;
  for (NodeSight& node : nodes) node.runs = true;
  return nodes;
}

TEST(Supervision, WithEverybodyAtWorkThereIsNothingToDo) {
  EXPECT_EQ(most_urgent(healthy()), Need{});
}

TEST(Supervision, ThePrimaryComesBeforeReplicasAndThoseBeforeWhoIsOut) {
  auto nodes = healthy();
  nodes[2].standing = Standing::kNeedsRejoin;
  nodes[2].runs = false;
  EXPECT_EQ(most_urgent(nodes), (Need{Kind::kRejoin, 2}));
  nodes[1].runs = false;
  EXPECT_EQ(most_urgent(nodes), (Need{Kind::kReplica, 1}));
  nodes[0].runs = false;
  EXPECT_EQ(most_urgent(nodes), (Need{Kind::kPrimary, 0}));
}

TEST(Supervision, OnlySeveralFailedProbesInARowAreAHang) {
  auto nodes = healthy();
  nodes[0].failed_probes = kFailedProbesMax - 1;
  EXPECT_EQ(most_urgent(nodes), Need{});
  nodes[0].failed_probes = kFailedProbesMax;
  EXPECT_EQ(most_urgent(nodes), (Need{Kind::kPrimary, 0}));
}

TEST(Supervision, AfterAFailedAttemptItWaitsAndTouchesNobodyElseWhileThereIsNoPrimary) {
  auto nodes = healthy();
  nodes[0].runs = false;
  nodes[0].may_try = false;
  nodes[1].runs = false;
  EXPECT_EQ(most_urgent(nodes), Need{});
}

TEST(Supervision, WithoutAPrimaryNobodyRejoins) {
  auto nodes = healthy();
  nodes[0].is_primary = false;
  nodes[0].standing = Standing::kNeedsRejoin;
  EXPECT_EQ(most_urgent(nodes), Need{});
}

TEST(Supervision, ANodeThatIsBeingAddedIsNobodysBusiness) {
  auto nodes = healthy();
  nodes[1].standing = Standing::kJoining;
  nodes[1].runs = false;
  EXPECT_EQ(most_urgent(nodes), Need{});
}

// E10: a way that loses nothing for sure comes before one that may lose something.
TEST(Supervision, WithSynchronousReplicationAPromotionComesFirstElseARestart) {
  Policy policy{.failover = true,
                .has_replicas = true,
                .commits_wait = true,
                .restart_limit = std::chrono::seconds(10)};
  EXPECT_THAT(ways_to_a_primary(policy, 1), ElementsAre(Way::kPromote, Way::kRestart));
  policy.commits_wait = false;
  EXPECT_THAT(ways_to_a_primary(policy, 1), ElementsAre(Way::kRestart, Way::kPromoteAnyway));
}

TEST(Supervision, APrimaryThatKeepsDyingIsNotRestartedOnceMore) {
  const Policy policy{.failover = true,
                      .has_replicas = true,
                      .commits_wait = false,
                      .restart_limit = std::chrono::seconds(10)};
  EXPECT_EQ(ways_to_a_primary(policy, kDeathsMax).front(), Way::kRestart);
  EXPECT_EQ(ways_to_a_primary(policy, kDeathsMax + 1).front(), Way::kPromoteAnyway);
}

TEST(Supervision, WithoutALimitForRestartsItPromotesAtOnce) {
  const Policy policy{.failover = true,
                      .has_replicas = true,
                      .commits_wait = false,
                      .restart_limit = std::chrono::milliseconds(0)};
  EXPECT_EQ(ways_to_a_primary(policy, 1).front(), Way::kPromoteAnyway);
}

TEST(Supervision, WithoutFailoverOrReplicasItOnlyRestarts) {
  EXPECT_THAT(ways_to_a_primary({.failover = false, .has_replicas = true}, 1),
              ElementsAre(Way::kRestart));
  EXPECT_THAT(ways_to_a_primary({.failover = true, .has_replicas = false}, 1),
              ElementsAre(Way::kRestart));
}

}  // namespace
}  // namespace fairlead::cluster
