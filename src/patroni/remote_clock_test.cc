#include "patroni/remote_clock.h"

#include <gtest/gtest.h>

namespace fairlead::patroni {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart{1h};
constexpr int64_t kServerDate = 1'795'769'643;

TEST(RemoteClock, IsBelievedWhateverItDiffersFromOurs) {
  RemoteClock clock;
  for (int second = 0; second < 200; ++second)
    EXPECT_EQ(clock.read(kServerDate + second, kStart + second * 1s), kServerDate + second);
}

TEST(RemoteClock, AnAnswerThatIsRepeatedGrowsOld) {
  RemoteClock clock;
  clock.read(kServerDate, kStart);
  EXPECT_EQ(clock.read(kServerDate, kStart + 2s), kServerDate) << "an answer takes a moment";
  EXPECT_EQ(clock.read(kServerDate, kStart + 33s), kServerDate + 30);
  for (int second = 34; second < 600; ++second)
    EXPECT_EQ(clock.read(kServerDate, kStart + second * 1s), kServerDate + second - 3)
        << "and never young again";
}

TEST(RemoteClock, OneThatWasSetBackIsBelievedAfterAWhile) {
  RemoteClock clock;
  clock.read(kServerDate, kStart);
  for (int second = 1; second < 61; ++second)
    EXPECT_GT(clock.read(kServerDate - 3600 + second, kStart + second * 1s),
              kServerDate - 3600 + second);
  EXPECT_EQ(clock.read(kServerDate - 3600 + 61, kStart + 61s), kServerDate - 3600 + 61);
}

TEST(RemoteClock, OneThatWasSetForwardIsBelievedAtOnce) {
  RemoteClock clock;
  clock.read(kServerDate, kStart);
  EXPECT_EQ(clock.read(kServerDate + 3600, kStart + 1s), kServerDate + 3600);
}

}  // namespace
}  // namespace fairlead::patroni
