#include "core/token.h"

#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

using sql::FloorToken;

Time at_ms(int ms) { return Time(std::chrono::milliseconds(ms)); }

ClusterSnapshot cluster_on(uint32_t timeline) {
  ClusterSnapshot cluster;
  cluster.system_identifier = 7;
  cluster.timeline = timeline;
  cluster.position = {.lsn = Lsn{0x2000}, .sampled_at = at_ms(100)};
  return cluster;
}

FloorToken on_timeline(uint32_t timeline, uint64_t lsn) {
  return {.system_identifier = std::nullopt, .timeline = timeline, .lsn = Lsn{lsn}};
}

ErrorCode error_of(const FloorToken& token, const ClusterSnapshot& cluster,
                   Time arrived = at_ms(50)) {
  const auto floor = floor_of(token, cluster, arrived);
  return floor ? ErrorCode::kInternal : floor.error().code;
}

TEST(Token, OfALostPartIsRefusedBeforeThePrimaryIsAskedAgain) {  // D20
  ClusterSnapshot cluster = cluster_on(2);
  cluster.history = TimelineHistory{{{1, Lsn{0x1000}}}};
  EXPECT_EQ(error_of(on_timeline(1, 0x3000), cluster, at_ms(200)),
            ErrorCode::kInvalidParameterValue)
      << "though it is ahead of what is known, and nobody has looked since";
}

TEST(Token, ComesBackAsAFloor) {
  const ClusterSnapshot cluster = cluster_on(3);
  EXPECT_EQ(token_of(cluster), "7:3:0/2000");
  const auto token = sql::read_setting("fairlead.min_lsn", token_of(cluster));
  ASSERT_TRUE(token);
  const auto floor = floor_of(std::get<FloorToken>(*token), cluster, at_ms(200));
  ASSERT_TRUE(floor);
  EXPECT_EQ(floor->lsn, Lsn{0x2000});
  EXPECT_FALSE(floor->pending);
}

TEST(Token, WithoutAPositionAsksForNothing) {
  const auto floor = floor_of(FloorToken{}, cluster_on(1), at_ms(50));
  ASSERT_TRUE(floor);
  EXPECT_EQ(floor->lsn, Lsn{});
}

TEST(Token, AheadOfWhatIsKnownWaitsForALookAndIsThenRefused) {  // D24
  const FloorToken ahead = on_timeline(1, 0x2001);
  const auto before = floor_of(ahead, cluster_on(1), at_ms(100));
  ASSERT_TRUE(before);
  EXPECT_TRUE(before->pending);
  EXPECT_EQ(error_of(ahead, cluster_on(1), at_ms(99)), ErrorCode::kInvalidParameterValue);
  const FloorToken next_timeline = on_timeline(2, 0x1000);
  EXPECT_TRUE(floor_of(next_timeline, cluster_on(1), at_ms(100))->pending);
  EXPECT_EQ(error_of(next_timeline, cluster_on(1), at_ms(99)), ErrorCode::kInvalidParameterValue);
}

TEST(Token, OfAnotherClusterIsRefused) {  // D24
  EXPECT_EQ(error_of({.system_identifier = 8, .timeline = 1, .lsn = Lsn{0x10}}, cluster_on(1)),
            ErrorCode::kInvalidParameterValue);
  ClusterSnapshot unknown = cluster_on(1);
  unknown.system_identifier = 0;
  EXPECT_TRUE(
      floor_of({.system_identifier = 8, .timeline = 1, .lsn = Lsn{0x10}}, unknown, at_ms(50)));
}

TEST(Token, OfAnOldTimelineCountsOnlyUpToWhereThatWasLeft) {  // D20
  ClusterSnapshot cluster = cluster_on(2);
  const FloorToken kept = on_timeline(1, 0x1000);
  const FloorToken lost = on_timeline(1, 0x1001);
  EXPECT_EQ(error_of(kept, cluster), ErrorCode::kInvalidParameterValue) << "nobody knows";
  cluster.history = TimelineHistory{{{.timeline = 1, .at = Lsn{0x1000}}}};
  EXPECT_EQ(floor_of(kept, cluster, at_ms(50))->lsn, Lsn{0x1000});
  EXPECT_EQ(error_of(lost, cluster), ErrorCode::kInvalidParameterValue);
}

}  // namespace
}  // namespace fairlead::core
