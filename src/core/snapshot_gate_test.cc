#include "core/snapshot_gate.h"

#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

class SnapshotGateTest : public ::testing::Test {
 protected:
  SnapshotGate::Publication decide(uint64_t epoch, int primary, bool holds = false) {
    auto snapshot = std::make_shared<ClusterSnapshot>();
    snapshot->epoch = epoch;
    if (primary >= 0) snapshot->primary = NodeIndex{static_cast<uint16_t>(primary)};
    snapshot->holds_writes = holds;
    return gate_.on_decided(std::move(snapshot));
  }

  SnapshotGate gate_{2};
};

TEST_F(SnapshotGateTest, TheFirstPrimaryAndNewsOfTheSameOneAreForEverybodyAtOnce) {
  EXPECT_FALSE(decide(0, -1).snapshot->primary);
  for (int i = 0; i < 3; ++i) {
    const auto published = decide(1, 0);
    EXPECT_EQ(published.snapshot->primary, NodeIndex{0});
    EXPECT_FALSE(published.confirm);
  }
  EXPECT_FALSE(decide(1, -1).snapshot->primary) << "it does not answer, and may be back";
  EXPECT_EQ(decide(1, 0).snapshot->primary, NodeIndex{0});
}

TEST_F(SnapshotGateTest, ANewPrimaryIsToldWhenEverybodyHasLetGoOfTheOldOne) {  // E26
  decide(1, 0);
  const auto closing = decide(2, 1);
  EXPECT_FALSE(closing.snapshot->primary);
  EXPECT_EQ(closing.snapshot->epoch, 2u);
  EXPECT_TRUE(closing.confirm);
  EXPECT_FALSE(gate_.on_taken(0, closing.number));
  const auto meanwhile = decide(2, 1);
  EXPECT_FALSE(meanwhile.snapshot->primary) << "one worker has not let go yet";
  EXPECT_FALSE(meanwhile.confirm) << "it was asked to already";
  EXPECT_TRUE(gate_.on_taken(1, closing.number));
  EXPECT_EQ(gate_.on_open().snapshot->primary, NodeIndex{1});
  EXPECT_EQ(decide(2, 1).snapshot->primary, NodeIndex{1});
}

TEST_F(SnapshotGateTest, WhatWasLetGoOfForOneEpochDoesNotCountForTheNext) {
  decide(1, 0);
  const auto first = decide(2, 1);
  gate_.on_taken(0, first.number);
  const auto second = decide(3, 0);
  EXPECT_TRUE(second.confirm);
  EXPECT_FALSE(gate_.on_taken(1, first.number)) << "worker 0 knows nothing of epoch 3";
  EXPECT_FALSE(gate_.on_taken(0, second.number));
  EXPECT_TRUE(gate_.on_taken(1, second.number));
  EXPECT_EQ(gate_.on_open().snapshot->epoch, 3u);
}

TEST_F(SnapshotGateTest, AnEpochThatBeginsWithoutAPrimaryIsLetGoOfOnce) {
  decide(1, 0);
  const auto fenced = decide(2, -1);  // Two nodes say that they are it.
  EXPECT_TRUE(fenced.confirm);
  gate_.on_taken(0, fenced.number);
  EXPECT_TRUE(gate_.on_taken(1, fenced.number));
  EXPECT_FALSE(gate_.on_open().snapshot->primary);
  EXPECT_EQ(decide(2, 1).snapshot->primary, NodeIndex{1});
}

TEST_F(SnapshotGateTest, AllHoldWhenEveryWorkerHasTakenTheFirstThatSaysSo) {
  decide(1, 0);
  const auto holding = decide(1, 0, true);
  EXPECT_TRUE(holding.snapshot->holds_writes);
  EXPECT_TRUE(holding.confirm);
  EXPECT_FALSE(decide(1, 0, true).confirm);
  gate_.on_taken(0, holding.number);
  EXPECT_FALSE(gate_.all_hold());
  EXPECT_FALSE(gate_.on_taken(1, holding.number));
  EXPECT_TRUE(gate_.all_hold());
  decide(1, 0);
  EXPECT_FALSE(gate_.all_hold());
  const auto again = decide(1, 0, true);
  EXPECT_FALSE(gate_.all_hold())
      << "they have held before, and do not know that they are to hold again";
  gate_.on_taken(0, again.number);
  gate_.on_taken(1, again.number);
  EXPECT_TRUE(gate_.all_hold());
}

}  // namespace
}  // namespace fairlead::core
