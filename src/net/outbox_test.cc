#include "net/outbox.h"

#include <gtest/gtest.h>

#include "net/loop_testing.h"

namespace fairlead::net {
namespace {

// More than a socket on the loopback takes while nobody reads.
constexpr size_t kTooMuch = size_t{32} * 1024 * 1024;

/// An outbox of ends.near.
struct Tried {
  Loop& on;
  Ends& ends;
  Spawner& spawner;
  Outbox& out;
};

/// The outbox's coroutines are joined behind `test`.
void run_with_outbox(Task<void> (*test)(Tried)) {
  Loop loop;
  run(loop, [](Loop& on, Task<void> (*whole)(Tried)) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    Spawner spawner(on);
    Outbox out(on, *ends.near, spawner);
    co_await whole({on, ends, spawner, out});
    co_await spawner.join();
  }(loop, test));
}

TEST(Outbox, HoldsASmallSendBackToTheEndOfTheTurn) {
  run_with_outbox([](Tried tried) -> Task<void> {
    auto& [on, ends, spawner, out] = tried;
    out.send("hel");
    out.send("lo");
    EXPECT_FALSE(out.blocked());
    EXPECT_EQ(out.size(), 5u);
    EXPECT_FALSE(has_input(*ends.far));
    co_await next_turn(on);
    EXPECT_TRUE(has_input(*ends.far));
    EXPECT_EQ(out.size(), 0u);
    EXPECT_EQ(spawner.running(), 0u);
    ends.near->shutdown();
    EXPECT_EQ(co_await read_all(on, *ends.far), "hello");
  });
}

TEST(Outbox, SendsNowWhatItHasHeldBackBeforeTheStreamEnds) {
  run_with_outbox([](Tried tried) -> Task<void> {
    auto& [on, ends, spawner, out] = tried;
    out.send("hello");
    out.send_now();
    EXPECT_EQ(out.size(), 0u);
    ends.near->shutdown();
    EXPECT_EQ(co_await read_all(on, *ends.far), "hello");
  });
}

TEST(Outbox, WhoWaitsUntilNothingWaitsWaitsForNoTurn) {
  run_with_outbox([](Tried tried) -> Task<void> {
    auto& [on, ends, spawner, out] = tried;
    out.send("hello");
    co_await out.drained();
    EXPECT_EQ(out.size(), 0u);
    EXPECT_TRUE(has_input(*ends.far));
  });
}

TEST(Outbox, WritesALargeSendAtOnceBehindTheSmallOnesBeforeIt) {
  run_with_outbox([](Tried tried) -> Task<void> {
    auto& [on, ends, spawner, out] = tried;
    const std::string large(Outbox::kHeldBackMax, 'b');
    out.send("a");
    out.send(large);
    EXPECT_EQ(out.size(), 0u);
    EXPECT_TRUE(has_input(*ends.far));
    out.send("c");
    co_await next_turn(on);
    ends.near->shutdown();
    EXPECT_EQ(co_await read_all(on, *ends.far), "a" + large + "c");
  });
}

TEST(Outbox, LosesWhatItHoldsBackIfItDies) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    const Ends ends = co_await connect_ends(on);
    Spawner spawner(on);
    {
      Outbox out(on, *ends.near, spawner);
      out.send("hello");
    }
    co_await next_turn(on);  // Nothing writes by an outbox that is gone.
    ends.near->shutdown();
    EXPECT_EQ(co_await read_all(on, *ends.far), "");
  }(loop));
}

TEST(Outbox, WritesTheRestInOrderWhenThePeerReadsAgain) {
  run_with_outbox([](Tried tried) -> Task<void> {
    auto& [on, ends, spawner, out] = tried;
    int told = 0;
    out.on_drained([&] { ++told; });
    out.send(std::string(kTooMuch, 'a'));
    EXPECT_TRUE(out.blocked());
    EXPECT_GT(out.size(), 0u);
    out.send("b");
    spawner.spawn([](Outbox& box, Stream& stream) -> Task<void> {
      co_await box.drained();
      stream.shutdown();
    }(out, *ends.near));
    const std::string got = co_await read_all(on, *ends.far);
    EXPECT_EQ(got.size(), kTooMuch + 1);
    EXPECT_EQ(got.find('b'), kTooMuch);
    EXPECT_FALSE(out.blocked());
    EXPECT_EQ(told, 1);
  });
}

TEST(Outbox, ForgetsEverythingOnceThePeerIsGoneAndTellsWhoWaits) {
  run_with_outbox([](Tried tried) -> Task<void> {
    auto& [on, ends, spawner, out] = tried;
    out.send(std::string(kTooMuch, 'a'));
    ends.far->close();  // With unread bytes: a reset.
    co_await out.drained();
    EXPECT_TRUE(out.broken());
    EXPECT_FALSE(out.blocked());
    out.send("nobody gets this");
    EXPECT_EQ(out.size(), 0u);
  });
}

}  // namespace
}  // namespace fairlead::net
