#include "cluster/step.h"

#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

constexpr auto kLast = StepKind::kProveWrites;

TEST(Step, EveryKindHasANameThatIsFoundAgain) {
  for (int i = 0; i <= static_cast<int>(kLast); ++i) {
    const auto kind = static_cast<StepKind>(i);
    EXPECT_EQ(step_kind_of(name_of(kind)), kind) << i;
  }
  EXPECT_EQ(step_kind_of("levitate"), std::nullopt);
}

TEST(Step, WhatCannotBeTakenBackCanAtLeastBeDoneAgain) {
  for (int i = 0; i <= static_cast<int>(kLast); ++i)
    EXPECT_NE(undo_of(static_cast<StepKind>(i)), UndoKind::kImpossible) << i;
}

}  // namespace
}  // namespace fairlead::cluster
