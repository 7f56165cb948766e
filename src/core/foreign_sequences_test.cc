#include "core/foreign_sequences.h"

#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

using Remedy = ForeignSequences::Remedy;

ForeignSequences on_used_server() {
  ForeignSequences foreign;
  foreign.on_lease(true);
  return foreign;
}

TEST(ForeignSequences, AServerThatNobodyHasUsedNeedsNothing) {  // C18
  ForeignSequences foreign = on_used_server();
  foreign.on_lease(false);
  EXPECT_EQ(foreign.before_transaction(), Remedy::kNone);
  EXPECT_EQ(foreign.amid_transaction(true), Remedy::kNone);
  EXPECT_EQ(foreign.amid_transaction(false), Remedy::kNone);
  EXPECT_EQ(foreign.before_pin(), Remedy::kNone);
}

TEST(ForeignSequences, ATransactionThatMayAskFindsNothingOfOthers) {  // C18
  ForeignSequences foreign = on_used_server();
  EXPECT_EQ(foreign.before_transaction(), Remedy::kDiscard);
  foreign.on_discarded();
  EXPECT_EQ(foreign.before_transaction(), Remedy::kNone);
  EXPECT_EQ(foreign.amid_transaction(true), Remedy::kNone);
}

TEST(ForeignSequences, AmidATransactionItsOwnNumbersAreNotTakenAway) {  // C18
  ForeignSequences foreign = on_used_server();
  EXPECT_EQ(foreign.amid_transaction(true), Remedy::kAsk);
  foreign.on_answer(true);
  EXPECT_EQ(foreign.amid_transaction(true), Remedy::kNone);
  EXPECT_EQ(foreign.amid_transaction(false), Remedy::kNone);
  EXPECT_EQ(foreign.before_pin(), Remedy::kDiscard) << "those of others are there, too";
}

TEST(ForeignSequences, AmidATransactionThatHasTakenNoneThoseOfOthersAreTakenAway) {  // C18
  ForeignSequences foreign = on_used_server();
  foreign.on_answer(false);
  EXPECT_EQ(foreign.amid_transaction(true), Remedy::kDiscard);
  foreign.on_discarded();
  EXPECT_EQ(foreign.amid_transaction(true), Remedy::kNone);
}

TEST(ForeignSequences, WhereTheServerCannotBeAskedNothingIsTold) {  // C18
  ForeignSequences foreign = on_used_server();
  EXPECT_EQ(foreign.amid_transaction(false), Remedy::kRefuse);
  foreign.on_answer(false);
  EXPECT_EQ(foreign.amid_transaction(false), Remedy::kRefuse);
}

}  // namespace
}  // namespace fairlead::core
