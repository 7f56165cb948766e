#include "net/loop.h"

#include <gtest/gtest.h>

#include <thread>

#include "net/loop_testing.h"

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;

TEST(Loop, RunsWhatOtherThreadsPostInTheirOrder) {
  Loop loop;
  std::vector<int> seen;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) loop.post([&seen, i] { seen.push_back(i); });
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  ASSERT_EQ(seen.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
}

TEST(Loop, StopEndsItAfterWhatIsRunning) {
  Loop loop;
  bool went_on = false;
  loop.post([&] { loop.stop(); });
  loop.post([&] { went_on = true; });
  loop.run();
  EXPECT_FALSE(went_on);
  Loop stopped_before;
  stopped_before.stop();
  stopped_before.run();
}

TEST(LoopDeathTest, RunsOnce) {
  EXPECT_DEATH(
      {
        Loop loop;
        loop.stop();
        loop.run();
        loop.run();
      },
      "runs once");
}

TEST(Loop, WhoYieldsGoesOnWhenWhatIsRunningHasFinished) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Spawner spawner(on);
    bool went_on = false;
    spawner.spawn([](Loop& its, bool& done) -> Task<void> {
      co_await its.yield();
      done = true;
    }(on, went_on));
    EXPECT_FALSE(went_on);
    co_await spawner.join();
    EXPECT_TRUE(went_on);
  }(loop));
}

TEST(Signal, WakesEveryoneWhoWaitsAndNobodyWhoComesLater) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Signal signal(on);
    Spawner spawner(on);
    int awake = 0;
    for (int i = 0; i < 3; ++i) {
      spawner.spawn([](Signal& changed, int& count) -> Task<void> {
        co_await changed.wait();
        ++count;
      }(signal, awake));
    }
    co_await on.sleep(1ms);
    EXPECT_EQ(awake, 0);
    signal.notify_all();
    co_await spawner.join();
    EXPECT_EQ(awake, 3);
    const Time before = Loop::now();
    co_await signal.wait_for(20ms);
    EXPECT_GE(Loop::now() - before, 20ms);
  }(loop));
}

TEST(Signal, WaitingForATimeEndsAtTheNotificationIfThatIsEarlier) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Signal signal(on);
    on.post([&] { signal.notify_all(); });
    const Time before = Loop::now();
    co_await signal.wait_for(10s);
    EXPECT_LT(Loop::now() - before, 5s);
    // The next plain wait has no time of its own.
    on.post([&] { signal.notify_all(); });
    co_await signal.wait();
  }(loop));
}

TEST(Spawner, JoinWaitsForAllOfThem) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Spawner spawner(on);
    int ended = 0;
    for (const auto span : {1ms, 30ms, 10ms}) {
      spawner.spawn([](Loop& its, Duration sleep, int& count) -> Task<void> {
        co_await its.sleep(sleep);
        ++count;
      }(on, span, ended));
    }
    EXPECT_EQ(spawner.running(), 3u);
    co_await spawner.join();
    EXPECT_EQ(ended, 3);
    EXPECT_EQ(spawner.running(), 0u);
  }(loop));
}

}  // namespace
}  // namespace fairlead::net
