#include "cluster/operation.h"

#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

Operation at(size_t done, bool begun) {
  Operation operation;
  operation.plan = {{StepKind::kStop, 1}, {StepKind::kRemoveData, 1}, {StepKind::kForget, 1}};
  operation.steps_done = done;
  operation.step_begun = begun;
  return operation;
}

TEST(Operation, GoesBackUntilAStepIsBegunThatCannotBeTakenBack) {
  EXPECT_EQ(recovery_of(at(0, false)), Recovery::kGiveUp);
  EXPECT_EQ(recovery_of(at(0, true)), Recovery::kGiveUp);
  EXPECT_EQ(recovery_of(at(1, false)), Recovery::kGiveUp);
  EXPECT_EQ(recovery_of(at(1, true)), Recovery::kContinue);
  EXPECT_EQ(recovery_of(at(2, false)), Recovery::kContinue);
  EXPECT_EQ(recovery_of(at(3, false)), Recovery::kContinue);
}

TEST(Operation, ThatIsOnItsWayBackGoesOnWithThat) {
  Operation operation = at(1, false);
  operation.giving_up = true;
  EXPECT_EQ(recovery_of(operation), Recovery::kGiveUp);
}

TEST(Operation, EveryNameIsFoundAgain) {
  for (const auto kind :
       {OperationKind::kSync, OperationKind::kAddReplica, OperationKind::kRemoveReplica,
        OperationKind::kPromote, OperationKind::kRejoin, OperationKind::kSwitchover})
    EXPECT_EQ(operation_kind_of(name_of(kind)), kind);
  for (const auto standing : {Standing::kMember, Standing::kJoining, Standing::kNeedsRejoin})
    EXPECT_EQ(standing_of(name_of(standing)), standing);
  EXPECT_EQ(operation_kind_of("create"), std::nullopt);
}

}  // namespace
}  // namespace fairlead::cluster
