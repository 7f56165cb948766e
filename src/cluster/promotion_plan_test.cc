#include "cluster/promotion_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fairlead::cluster {
namespace {

ClusterState any_1() {
  ClusterState state;
  state.nodes = {{"node1", 5601}, {"node2", 5602}, {"node3", 5603}};
  state.spec.sync = {SyncRule::Method::kAny, 1};
  return state;
}

bool is_before(const Plan& plan, StepKind first, StepKind second) {
  return std::ranges::find(plan, first, &Step::kind) < std::ranges::find(plan, second, &Step::kind);
}

// E11: a commit waits for those of the rule, so it is not asked for before enough of them are
// there.
TEST(PromotionPlan, WritesAreProvenBeforeTheOldPrimaryStartsOnlyWhereTheOthersThatStreamSuffice) {
  const Plan all = plan_switchover(any_1(), 0, 1, {1, 2});
  EXPECT_TRUE(is_before(all, StepKind::kProveWrites, StepKind::kTryStart));
  const Plan one_is_down = plan_switchover(any_1(), 0, 1, {1});
  EXPECT_TRUE(is_before(one_is_down, StepKind::kTryStart, StepKind::kProveWrites));
  EXPECT_EQ(all.size(), one_is_down.size());
}

TEST(PromotionPlan, WithoutARuleWritesAreProvenAtOnce) {
  ClusterState state = any_1();
  state.spec.sync = {};
  const Plan plan = plan_switchover(state, 0, 1, {1});
  EXPECT_TRUE(is_before(plan, StepKind::kProveWrites, StepKind::kTryStart));
}

}  // namespace
}  // namespace fairlead::cluster
