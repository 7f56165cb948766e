#include "net/outbox.h"

#include <gtest/gtest.h>

#include "net/loop_testing.h"

namespace fairlead::net {
namespace {

// More than a socket on the loopback takes while nobody reads.
constexpr size_t kTooMuch = size_t{32} * 1024 * 1024;

TEST(Outbox, KeepsNothingOfWhatTheSocketTakes) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    Spawner spawner(on);
    Outbox out(on, *ends.near, spawner);
    out.send("hello");
    EXPECT_FALSE(out.blocked());
    EXPECT_EQ(spawner.running(), 0u);
    co_await out.drained();
    ends.near->shutdown();
    EXPECT_EQ(co_await read_all(on, *ends.far), "hello");
  }(loop));
}

TEST(Outbox, WritesTheRestInOrderWhenThePeerReadsAgain) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    Spawner spawner(on);
    Outbox out(on, *ends.near, spawner);
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
    co_await spawner.join();
  }(loop));
}

TEST(Outbox, ForgetsEverythingOnceThePeerIsGoneAndTellsWhoWaits) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    Spawner spawner(on);
    Outbox out(on, *ends.near, spawner);
    out.send(std::string(kTooMuch, 'a'));
    ends.far->close();  // With unread bytes: a reset.
    co_await out.drained();
    EXPECT_TRUE(out.broken());
    EXPECT_FALSE(out.blocked());
    out.send("nobody gets this");
    EXPECT_EQ(out.size(), 0u);
    co_await spawner.join();
  }(loop));
}

}  // namespace
}  // namespace fairlead::net
