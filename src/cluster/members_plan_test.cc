#include "cluster/members_plan.h"

#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

ClusterState two_replicas() {
  ClusterState state;
  state.nodes = {{"node1", 5601}, {"node2", 5602}, {"node3", 5603}};
  return state;
}

TEST(MembersPlan, ARuleReachesThePrimaryLastAndLeavesNodesOutThatAreNoMembers) {
  ClusterState state = two_replicas();
  state.nodes[2].standing = Standing::kNeedsRejoin;
  EXPECT_EQ(plan_sync(state, 1), (Plan{{StepKind::kReconfigure, 0, 1},
                                       {StepKind::kReconfigure, 1, 1},
                                       {StepKind::kAwaitSync, 1, 1}}));
}

}  // namespace
}  // namespace fairlead::cluster
