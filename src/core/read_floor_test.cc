#include "core/read_floor.h"

#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

using sql::ReadConsistency;

Time tick(int64_t number) { return Time{Duration{number}}; }
NodeIndex numbered(int number) { return NodeIndex{static_cast<uint16_t>(number)}; }

/// The primary was at 900 when it was asked at 60, and at 1000 at 100.
PositionSamples positions() {
  PositionSamples samples;
  samples.add(tick(60), Lsn{900});
  samples.add(tick(100), Lsn{1000});
  return samples;
}

ReadNeeds needs_of(ReadConsistency level, const ReadHistory& history) {
  ReadNeeds needs;
  set_floors(level, history, positions(), needs);
  return needs;
}

TEST(ReadFloor, CountsTheWritesOfItsLevel) {  // D10, D11
  const ReadHistory history{.arrived = tick(300), .own_write = tick(50), .others_write = tick(200)};
  EXPECT_EQ(needs_of(ReadConsistency::kEventual, history).floor.lsn, Lsn{});
  EXPECT_FALSE(needs_of(ReadConsistency::kEventual, history).floor.pending);
  EXPECT_EQ(needs_of(ReadConsistency::kSession, history).floor.lsn, Lsn{900});
  EXPECT_TRUE(needs_of(ReadConsistency::kApp, history).floor.pending);
  EXPECT_TRUE(needs_of(ReadConsistency::kStrict, history).floor.pending);
}

TEST(ReadFloor, TheFirstSampleAfterTheWriteIsEnough) {
  EXPECT_EQ(needs_of(ReadConsistency::kApp, {.others_write = tick(59)}).floor.lsn, Lsn{900});
  EXPECT_EQ(needs_of(ReadConsistency::kApp, {.others_write = tick(60)}).floor.lsn, Lsn{1000});
}

TEST(ReadFloor, ASampleThatBeganAtTheSameMomentSaysNothing) {  // D11
  EXPECT_TRUE(needs_of(ReadConsistency::kApp, {.others_write = tick(100)}).floor.pending);
  EXPECT_FALSE(needs_of(ReadConsistency::kApp, {.others_write = tick(99)}).floor.pending);
}

TEST(ReadFloor, NothingWrittenMeansNothingToWaitFor) {
  for (const auto level : {ReadConsistency::kSession, ReadConsistency::kApp}) {
    const ReadNeeds needs = needs_of(level, {.arrived = tick(300)});
    EXPECT_FALSE(needs.floor.pending);
    EXPECT_FALSE(needs.floor.lsn);
  }
}

LastAnswer answered_by(int number) {
  LastAnswer answered{};
  answered.note(numbered(number), tick(10), tick(200));
  return answered;
}

/// Two replicas; the client has read on the first one, after the last sample.
class SameNodeTest : public ::testing::Test {
 protected:
  SameNodeTest() {
    cluster_.nodes.resize(3);
    for (NodeStatus& status : cluster_.nodes) {
      status.role = NodeRole::kReplica;
      status.usable_for_reads = true;
      status.replay_lsn = Lsn{1000};
      status.observed_started_at = tick(90);
      status.lag = {Lag::Known::kAtMost, 0, Duration{0}};
    }
    cluster_.nodes[0].role = NodeRole::kPrimary;
    cluster_.primary = numbered(0);
    needs_ =
        needs_of(ReadConsistency::kSession, {.arrived = tick(300), .answered = answered_by(1)});
    needs_.max_lag = std::chrono::seconds(1);
  }
  std::optional<NoReplica> why_not(int number) const {
    return core::why_not(cluster_.nodes[static_cast<size_t>(number)], numbered(number), needs_);
  }

  ClusterSnapshot cluster_;
  ReadNeeds needs_;
};

TEST_F(SameNodeTest, HasWhatItHasShownAndOthersMustProveIt) {  // D21 a, b
  EXPECT_EQ(why_not(1), std::nullopt);
  EXPECT_EQ(why_not(2), NoReplica::kFloorPending);
}

TEST_F(SameNodeTest, OnlyServersThatWereOpenByThenAreKnownToHaveIt) {  // D7, D16 b, D21 a
  EXPECT_EQ(opened_before(cluster_, needs_, numbered(1)), tick(200));
}

TEST_F(SameNodeTest, AfterANewerSampleAllThatHaveReplayedItServe) {
  PositionSamples newer = positions();
  newer.add(tick(250), Lsn{1100});
  set_floors(ReadConsistency::kSession, {.arrived = tick(300), .answered = answered_by(1)}, newer,
             needs_);
  cluster_.nodes[2].replay_lsn = Lsn{1100};
  cluster_.nodes[2].observed_started_at = tick(260);
  EXPECT_EQ(why_not(1), std::nullopt);
  EXPECT_EQ(opened_before(cluster_, needs_, numbered(1)), tick(200));
  EXPECT_EQ(why_not(2), std::nullopt);
  EXPECT_EQ(opened_before(cluster_, needs_, numbered(2)), tick(260));
}

TEST_F(SameNodeTest, StillOwesTheSessionItsOwnWrites) {
  set_floors(ReadConsistency::kSession,
             {.arrived = tick(300), .own_write = tick(50), .answered = answered_by(1)}, positions(),
             needs_);
  EXPECT_EQ(why_not(1), std::nullopt);
  EXPECT_EQ(opened_before(cluster_, needs_, numbered(1)), tick(90));
  cluster_.nodes[1].replay_lsn = Lsn{899};
  EXPECT_EQ(why_not(1), NoReplica::kFloorPending);
}

TEST_F(SameNodeTest, OwesTheSessionWhatOtherNodesHadShownBefore) {  // D21
  LastAnswer answered{};
  answered.note(numbered(2), tick(10), tick(50));
  answered.note(numbered(1), tick(20), tick(70));  // At a level that asked for nothing.
  answered.note(numbered(1), tick(20), tick(200));
  set_floors(ReadConsistency::kSession, {.arrived = tick(300), .answered = answered}, positions(),
             needs_);
  EXPECT_EQ(why_not(1), std::nullopt);
  EXPECT_EQ(opened_before(cluster_, needs_, numbered(1)), tick(90));
  cluster_.nodes[1].replay_lsn = Lsn{899};
  EXPECT_EQ(why_not(1), NoReplica::kFloorPending);
}

TEST_F(SameNodeTest, OwesTheSessionWhatItHadShownBeforeItMayHaveRestarted) {  // D7, D21
  LastAnswer answered{};
  answered.note(numbered(1), tick(10), tick(50));
  answered.note(numbered(1), tick(60), tick(200));
  EXPECT_EQ(answered.elsewhere_at, tick(50));
  answered.note(numbered(1), tick(60), tick(210));
  EXPECT_EQ(answered.elsewhere_at, tick(50));
  set_floors(ReadConsistency::kSession, {.arrived = tick(300), .answered = answered}, positions(),
             needs_);
  cluster_.nodes[1].replay_lsn = Lsn{899};
  EXPECT_EQ(why_not(1), NoReplica::kFloorPending);
}

TEST_F(SameNodeTest, WhoReadOnThePrimaryLeavesItForWhatHasReplayedAllOfThat) {  // D21 c
  set_floors(ReadConsistency::kSession, {.arrived = tick(300), .answered = answered_by(0)},
             positions(), needs_);
  EXPECT_EQ(why_not(1), NoReplica::kFloorPending);
  EXPECT_EQ(why_not(2), NoReplica::kFloorPending);
}

}  // namespace
}  // namespace fairlead::core
