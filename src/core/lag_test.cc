#include "core/lag.h"

#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

using std::chrono::seconds;
using enum Lag::Known;

Time at_second(int64_t s) { return Time(seconds(1'000'000 + s)); }

TEST(LagClock, KnowsNothingWithoutSamplesOrPosition) {
  LagClock clock;
  EXPECT_EQ(clock.lag_of(Lsn{100}, at_second(0)).known, kNothing);
  clock.add(at_second(0), Lsn{100});
  EXPECT_EQ(clock.lag_of(Lsn{}, at_second(0)).known, kNothing);
  EXPECT_FALSE(within(Lag{}, seconds(1'000'000))) << "unknown is never fresh enough";
}

TEST(LagClock, AnIdlePrimaryGivesZeroForEver) {
  LagClock clock;
  for (int s = 0; s < 10'000; ++s) clock.add(at_second(s), Lsn{100});
  EXPECT_EQ(clock.lag_of(Lsn{100}, at_second(10'001)), (Lag{kAtMost, 0, seconds(0)}));
  EXPECT_EQ(clock.size(), 1u);
}

TEST(LagClock, ADeadLinkGrows) {
  LagClock clock;
  Duration before{0};
  for (int s = 0; s < 100; ++s) {
    clock.add(at_second(s), Lsn{100 + static_cast<uint64_t>(s) * 10});
    Lag lag = clock.lag_of(Lsn{150}, at_second(s));
    if (s <= 5) continue;
    EXPECT_EQ(lag.time, seconds(s - 5)) << "it had everything at second 5";
    EXPECT_EQ(lag.bytes, static_cast<uint64_t>(s - 5) * 10);
    EXPECT_GT(lag.time, before);
    before = lag.time;
  }
}

TEST(LagClock, ALinkThatDiesWhileThePrimaryIsIdleGrowsFromTheFirstNewWrite) {
  LagClock clock;
  clock.add(at_second(0), Lsn{100});
  clock.add(at_second(60), Lsn{100});
  EXPECT_EQ(clock.lag_of(Lsn{100}, at_second(60)).time, seconds(0));
  clock.add(at_second(61), Lsn{200});
  EXPECT_EQ(clock.lag_of(Lsn{100}, at_second(61)).time, seconds(1))
      << "not 61: nothing was missing at 60";
}

TEST(LagClock, BehindTheFirstSampleItIsALowerBoundAndNotFresh) {
  LagClock clock;
  clock.add(at_second(0), Lsn{100});
  Lag lag = clock.lag_of(Lsn{99}, at_second(3));
  EXPECT_EQ(lag, (Lag{kAtLeast, 1, seconds(3)}));
  EXPECT_FALSE(within(lag, seconds(10)));
  EXPECT_TRUE(within(clock.lag_of(Lsn{100}, at_second(3)), seconds(0)));
}

TEST(LagClock, MaxLagIsInclusive) {
  EXPECT_TRUE(within(Lag{kAtMost, 1, seconds(10)}, seconds(10)));
  EXPECT_FALSE(within(Lag{kAtMost, 1, seconds(11)}, seconds(10)));
}

TEST(LagClock, IgnoresAnswersThatArriveOutOfOrder) {
  LagClock clock;
  clock.add(at_second(10), Lsn{200});
  clock.add(at_second(9), Lsn{150});
  EXPECT_EQ(clock.newest(), Lsn{200});
  EXPECT_EQ(clock.size(), 1u);
}

TEST(LagClock, APositionThatGoesBackwardsIsAnotherHistory) {
  LagClock clock;
  clock.add(at_second(0), Lsn{100});
  clock.add(at_second(1), Lsn{200});
  clock.add(at_second(2), Lsn{150});
  EXPECT_EQ(clock.size(), 1u);
  EXPECT_EQ(clock.lag_of(Lsn{120}, at_second(3)).known, kAtLeast);
}

TEST(LagClock, ADayOfSamplesKeepsItsPrecisionInBoundedMemory) {
  LagClock clock;
  constexpr int64_t kDay = 86'400;
  for (int64_t s = 0; s <= kDay; ++s) clock.add(at_second(s), Lsn{1000 + static_cast<uint64_t>(s)});
  EXPECT_LE(clock.size(), 256u);
  for (int64_t age = 1; age < kDay; age += age < 1000 ? 1 : 97) {
    Lag lag = clock.lag_of(Lsn{1000 + static_cast<uint64_t>(kDay - age)}, at_second(kDay));
    ASSERT_EQ(lag.known, kAtMost);
    ASSERT_GE(lag.time, seconds(age)) << "never shorter than the truth";
    ASSERT_LE(lag.time, seconds(age + 1 + age / 15)) << age;
  }
}

}  // namespace
}  // namespace fairlead::core
