#include "net/socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <thread>

#include "net/loop_testing.h"

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;

/// Two ends that are connected; the far one is a plain descriptor.
struct Pair {
  explicit Pair(Loop& loop) : Pair(loop, opened()) {}
  Pair(Loop& loop, std::array<int, 2> ends) : near(loop, ends[0]), far(ends[1]) {}
  ~Pair() { ::close(far); }

  static std::array<int, 2> opened() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
    return ends;
  }

  Socket near;
  int far;
};

Task<void> wait_to_read(Socket& socket, std::optional<bool>& outcome) {
  outcome = co_await socket.readable();
}

TEST(Socket, IsWaitedForInBothDirectionsAtOnce) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Pair pair(on);
    Spawner spawner(on);
    std::optional<bool> outcome;
    spawner.spawn(wait_to_read(pair.near, outcome));
    EXPECT_TRUE(co_await pair.near.writable());
    EXPECT_FALSE(outcome);
    EXPECT_EQ(::write(pair.far, "x", 1), 1);
    co_await spawner.join();
    EXPECT_EQ(outcome, true);
  }(loop));
}

TEST(Socket, ThatIsClosedEndsTheWaitAndEachLaterOne) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Pair pair(on);
    Spawner spawner(on);
    std::optional<bool> outcome;
    spawner.spawn(wait_to_read(pair.near, outcome));
    pair.near.close();
    EXPECT_FALSE(outcome) << "not while somebody else runs";
    co_await spawner.join();
    EXPECT_EQ(outcome, false);
    EXPECT_FALSE(co_await pair.near.readable());
    EXPECT_FALSE(co_await pair.near.writable());
    pair.near.close();
  }(loop));
}

TEST(Socket, WhatIsThereAlreadyIsToldOfEachTime) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Pair pair(on);
    EXPECT_EQ(::write(pair.far, "x", 1), 1);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(co_await pair.near.readable());
    co_await on.sleep(5ms);  // Nobody waits: the watch ends …
    EXPECT_TRUE(co_await pair.near.readable()) << "and begins again";
  }(loop));
}

Task<void> note_read(Socket& socket, int number, std::vector<int>& order) {
  co_await socket.readable();
  order.push_back(number);
}

TEST(Socket, WhatHappenedFirstIsToldOfFirstAndTheClockLast) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    std::vector<int> order;
    Pair first(on);
    Pair second(on);
    Pair third(on);
    Spawner spawner(on);
    spawner.spawn(note_read(third.near, 3, order));
    spawner.spawn(note_read(first.near, 1, order));
    spawner.spawn(note_read(second.near, 2, order));
    co_await on.sleep(1ms);  // All of them wait now, and this thread is late to look at what comes.
    const Alarm alarm(on, 1ms, [&] { order.push_back(4); });
    for (const Pair* pair : {&first, &second, &third}) EXPECT_EQ(::write(pair->far, "x", 1), 1);
    std::this_thread::sleep_for(5ms);
    co_await on.sleep(1ms);
    EXPECT_EQ(order, (std::vector{1, 2, 3, 4}));
    co_await spawner.join();
  }(loop));
}

TEST(Socket, OneThatIsToldFirstNeedNotHaveBeenFirst) {  // F50
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    std::vector<int> order;
    Pair early(on);
    Pair late(on);
    late.near.be_told_first();
    Spawner spawner(on);
    spawner.spawn(note_read(early.near, 2, order));
    spawner.spawn(note_read(late.near, 1, order));
    co_await on.sleep(1ms);
    for (const Pair* pair : {&early, &late}) EXPECT_EQ(::write(pair->far, "x", 1), 1);
    co_await spawner.join();
    EXPECT_EQ(order, (std::vector{1, 2}));
  }(loop));
}

TEST(Alarm, DoesNotRingWhenASocketsTurnHasEndedIt) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    bool has_rung = false;
    {
      Pair pair(on);
      const Alarm alarm(on, 1ms, [&] { has_rung = true; });
      EXPECT_EQ(::write(pair.far, "x", 1), 1);
      std::this_thread::sleep_for(5ms);
      EXPECT_TRUE(co_await pair.near.readable());
    }
    co_await on.sleep(5ms);
    EXPECT_FALSE(has_rung);
  }(loop));
}

/// CPU time of this process.
double used_ms() { return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

TEST(Socket, ThatNobodyWaitsForKeepsNobodyBusy) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Pair unread(on);
    EXPECT_EQ(::write(unread.far, "x", 1), 1);
    EXPECT_TRUE(co_await unread.near.readable());
    EXPECT_TRUE(co_await unread.near.writable());
    Pair gone(on);
    EXPECT_EQ(::shutdown(gone.far, SHUT_RDWR), 0);
    EXPECT_TRUE(co_await gone.near.readable());
    const double before = used_ms();
    co_await on.sleep(500ms);
    EXPECT_LT(used_ms() - before, 250);
  }(loop));
}

TEST(SocketDeathTest, OneCoroutineWaitsForOneDirection) {
  EXPECT_DEATH(
      {
        Loop loop;
        run(loop, [](Loop& on) -> Task<void> {
          Pair pair(on);
          Spawner spawner(on);
          std::optional<bool> outcome;
          spawner.spawn(wait_to_read(pair.near, outcome));
          co_await pair.near.readable();
        }(loop));
      },
      "one coroutine at a time");
}

}  // namespace
}  // namespace fairlead::net
