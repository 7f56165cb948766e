#include "cluster/members_plan.h"

#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

ClusterState two_bare_replicas() {
  ClusterState state;
  state.nodes = {{"node1", 5601}, {"node2", 5602}, {"node3", 5603}};
  return state;
}

TEST(MembersPlan, ARuleReachesThePrimaryLastAndLeavesNodesOutThatAreNoMembers) {
  ClusterState state = two_bare_replicas();
  state.nodes[2].standing = Standing::kNeedsRejoin;
  EXPECT_EQ(plan_sync(state, 1), (Plan{{StepKind::kReconfigure, 0, 1},
                                       {StepKind::kReconfigure, 1, 1},
                                       {StepKind::kAwaitSync, 1, 1}}));
}

TEST(MembersPlan, AReplicaThatJoinsIsNamedOnceItIsAMember) {
  ClusterState state = two_bare_replicas();
  state.nodes[2].standing = Standing::kJoining;
  EXPECT_EQ(plan_add_replica(2, 0).front(), (Step{StepKind::kClone, 2, 0}));
  EXPECT_EQ(plan_admission(state, 2, 0), (Plan{{StepKind::kAdmit, 2}}));
  state.spec.sync = {SyncRule::Method::kAny, 1};
  EXPECT_EQ(plan_admission(state, 2, 0), (Plan{{StepKind::kAdmit, 2},
                                               {StepKind::kReconfigure, 1, 0},
                                               {StepKind::kReconfigure, 0, 0},
                                               {StepKind::kAwaitSync, 0, 0}}));
}

TEST(MembersPlan, AReplicaThatLeavesIsCountedOnByNobodyBeforeItStops) {
  ClusterState state = two_bare_replicas();
  state.nodes[1].standing = Standing::kJoining;
  state.spec.sync = {SyncRule::Method::kAny, 1};
  EXPECT_EQ(plan_remove_replica(state, 1, 0), (Plan{{StepKind::kReconfigure, 2, 0},
                                                    {StepKind::kReconfigure, 0, 0},
                                                    {StepKind::kAwaitSync, 0, 0},
                                                    {StepKind::kStop, 1},
                                                    {StepKind::kDropSlot, 1, 0},
                                                    {StepKind::kRemoveData, 1},
                                                    {StepKind::kForget, 1}}));
}

}  // namespace
}  // namespace fairlead::cluster
