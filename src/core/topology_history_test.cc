#include "core/topology_history.h"

#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

const std::string_view kFile =
    "1\t0/4156EC0\tno recovery target specified\n"
    "\n"
    "# a comment\n"
    "2\t0/5000000\tno recovery target specified\n";

TEST(TimelineHistory, ReadsPostgresqlsFile) {
  auto history = TimelineHistory::parse(kFile);
  ASSERT_TRUE(history);
  EXPECT_EQ(history->left_at(1), Lsn{0x4156EC0});
  EXPECT_EQ(history->left_at(2), Lsn{0x5000000});
  EXPECT_EQ(history->left_at(3), std::nullopt);
}

TEST(TimelineHistory, TheFirstTimelineHasNoAncestors) {
  EXPECT_EQ(TimelineHistory::parse(""), TimelineHistory{});
}

TEST(TimelineHistory, RefusesWhatIsNotAHistory) {
  for (std::string_view text : {"x", "1", "1\t", "1\tX", "1\t0/", "0\t0/1", "-1\t0/1", "1x\t0/1",
                                "2\t0/1\n1\t0/2", "1\t0/1\n1\t0/2"})
    EXPECT_FALSE(TimelineHistory::parse(text)) << text;
}

TEST(TimelineHistory, WhatWasWrittenAfterTheSwitchIsLost) {
  // The example of D20: the row lies above the point where timeline 2 left timeline 1.
  auto history = TimelineHistory::parse("1\t0/4156EC0\t\n");
  ASSERT_TRUE(history);
  EXPECT_TRUE(contains(2, *history, 1, Lsn{0x4156EC0}));
  EXPECT_FALSE(contains(2, *history, 1, Lsn{0x4156F28}));
  EXPECT_TRUE(contains(2, *history, 2, Lsn{0x415AB98}));
  EXPECT_FALSE(contains(2, *history, 3, Lsn{1}));
}

TEST(TimelineHistory, ALaterTimelineThatWasLeftEarlierTakesTheEndOfTheFirstAlong) {  // D20
  const TimelineHistory history{{{3, Lsn{1180}}, {4, Lsn{1170}}}};
  EXPECT_EQ(history.left_at(3), Lsn{1170});
  EXPECT_TRUE(contains(5, history, 3, Lsn{1170}));
  EXPECT_FALSE(contains(5, history, 3, Lsn{1172}));
}

}  // namespace
}  // namespace fairlead::core
