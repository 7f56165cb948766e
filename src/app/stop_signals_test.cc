#include "app/stop_signals.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>

namespace fairlead::app {
namespace {

using namespace std::chrono_literals;

TEST(StopSignals, TheFirstRequestRaisesTheFlagAndWakesTheSleeper) {
  StopSignals signals(StopSignals::Hangup::kStops, 10);
  EXPECT_FALSE(signals.stop_requested());
  raise(SIGINT);
  const auto began = std::chrono::steady_clock::now();
  signals.wait(60s);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
  EXPECT_TRUE(signals.stop_requested());
  EXPECT_EQ(signals.stops(), 1);
  raise(SIGTERM);
  EXPECT_EQ(signals.stops(), 2);
}

TEST(StopSignals, AHangupStopsWhatRunsInATerminal) {
  StopSignals signals(StopSignals::Hangup::kStops, 10);
  raise(SIGHUP);
  EXPECT_TRUE(signals.stop_requested());
  EXPECT_FALSE(signals.take_reload());
}

TEST(StopSignals, AHangupReloadsADaemonOnce) {
  StopSignals signals(StopSignals::Hangup::kReloads, 10);
  raise(SIGHUP);
  EXPECT_FALSE(signals.stop_requested());
  EXPECT_TRUE(signals.take_reload());
  EXPECT_FALSE(signals.take_reload());
}

TEST(StopSignals, ABrokenPipeIsNotTheEnd) {
  StopSignals signals(StopSignals::Hangup::kStops, 10);
  raise(SIGPIPE);
  EXPECT_FALSE(signals.stop_requested());
}

TEST(StopSignals, StartsAfreshEachTime) {
  {
    StopSignals signals(StopSignals::Hangup::kStops, 10);
    raise(SIGINT);
  }
  StopSignals signals(StopSignals::Hangup::kStops, 10);
  EXPECT_FALSE(signals.stop_requested());
  EXPECT_EQ(signals.stops(), 0);
}

using StopSignalsDeathTest = testing::Test;

TEST(StopSignalsDeathTest, TheLastAllowedStopEndsTheProcess) {
  EXPECT_EXIT(
      {
        StopSignals signals(StopSignals::Hangup::kStops, 2);
        raise(SIGINT);
        raise(SIGINT);
        _exit(0);
      },
      testing::ExitedWithCode(1), "");
}

}  // namespace
}  // namespace fairlead::app
