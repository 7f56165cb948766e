#include "net/stream.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <functional>

#include "net/deadline.h"
#include "net/loop_testing.h"

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;

std::string read_once(Loop& loop, Stream& stream) {
  const Transfer got = stream.read(loop.scratch());
  return got.ok() ? std::string(loop.scratch().data(), got.bytes) : std::string{};
}

/// Awaits input(); whether `others`, whose turn is next, came before it.
Task<bool> comes_behind(Loop& loop, Stream& stream, std::function<void()> others = [] {}) {
  bool has_turned = false;
  loop.post([&] {
    has_turned = true;
    others();
  });
  co_await stream.input();
  const bool is_behind = has_turned;
  while (!has_turned) co_await loop.yield();
  co_return is_behind;
}

TEST(Stream, ReadsWhatWasWrittenAndWaitsOnlyWhenNothingIsLeft) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    EXPECT_FALSE(co_await comes_behind(on, *ends.far)) << "nothing was read yet";
    EXPECT_TRUE(ends.far->read(on.scratch()).would_block());
    EXPECT_TRUE(co_await comes_behind(on, *ends.far, [&] { ends.near->write("hello"); }));
    EXPECT_EQ(ends.far->read(on.scratch().first(3)).bytes, 3u);
    EXPECT_FALSE(co_await comes_behind(on, *ends.far)) << "there was no room for more";
    EXPECT_EQ(read_once(on, *ends.far), "lo");
    EXPECT_TRUE(co_await comes_behind(on, *ends.far, [&] { ends.near->close(); }))
        << "that read had emptied the socket";
    EXPECT_EQ(ends.far->read(on.scratch()).state, Transfer::State::kEnd);
    EXPECT_FALSE(co_await comes_behind(on, *ends.far)) << "the end is seen again";
  }(loop));
}

TEST(Stream, APeerThatNeverPausesLeavesOthersTheirTurn) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    const std::string much(100, 'x');
    EXPECT_EQ(ends.near->write(much).bytes, much.size());
    int turns = 0;
    for (size_t i = 0; i < much.size(); ++i) {
      turns += co_await comes_behind(on, *ends.far) ? 1 : 0;
      EXPECT_EQ(ends.far->read(on.scratch().first(1)).bytes, 1u);
    }
    EXPECT_GE(turns, 10);
    EXPECT_LE(turns, 30) << "a look at what else there is to do is not free";
  }(loop));
}

TEST(Stream, InterruptingEndsTheWaitForInput) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    EXPECT_TRUE(co_await ends.far->input());
    EXPECT_TRUE(ends.far->read(on.scratch()).would_block());
    on.post([&] { ends.far->interrupt(); });
    EXPECT_FALSE(co_await ends.far->input());
  }(loop));
}

TEST(Stream, PeekLeavesTheBytesWhereTheyAre) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    ends.near->write("hello");
    co_await ends.far->readable();
    EXPECT_EQ(ends.far->peek(on.scratch().first(3)).bytes, 3u);
    EXPECT_EQ(read_once(on, *ends.far), "hello");
  }(loop));
}

TEST(Stream, WaitsUntilAsManyBytesAreThereAsItWasAskedFor) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    ends.far->set_low_water(8);
    ends.near->write("1234");
    Deadline too_early(on, *ends.far, 100ms);
    co_await ends.far->readable();
    EXPECT_TRUE(too_early.expired()) << "four bytes are not eight";
  }(loop));
  Loop other;
  run(other, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    ends.far->set_low_water(8);
    ends.near->write("12345678");
    Deadline too_late(on, *ends.far, 10s);
    co_await ends.far->readable();
    EXPECT_FALSE(too_late.expired());
  }(other));
}

TEST(Stream, InterruptingEndsTheWaitAndNothingElse) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    on.post([&] { ends.far->interrupt(); });
    EXPECT_FALSE(co_await ends.far->readable());
    ends.near->write("still there");
    co_await ends.far->readable();
    EXPECT_EQ(read_once(on, *ends.far), "still there");
  }(loop));
}

TEST(Stream, SeesThatThePeerHasLeftOnlyOnceAllBeforeItIsRead) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    EXPECT_FALSE(ends.far->peer_has_left());
    ends.near->write("last words");
    ends.near->shutdown();
    co_await ends.far->readable();
    EXPECT_FALSE(ends.far->peer_has_left());
    EXPECT_EQ(read_once(on, *ends.far), "last words");
    EXPECT_TRUE(ends.far->peer_has_left());
  }(loop));
}

TEST(Stream, SeesThatThePeerHasEndedWhateverItSentBefore) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    EXPECT_FALSE(ends.far->peer_has_ended());
    ends.near->write("last words");
    co_await ends.far->readable();
    EXPECT_FALSE(ends.far->peer_has_ended());
    ends.near->close();
    for (int i = 0; i < 1000 && !ends.far->peer_has_ended(); ++i) co_await on.sleep(1ms);
    EXPECT_TRUE(ends.far->peer_has_ended());
    EXPECT_EQ(read_once(on, *ends.far), "last words");
    EXPECT_TRUE(ends.far->peer_has_ended());
  }(loop));
  Loop other;
  run(other, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    ends.far->write("unread");
    co_await ends.near->readable();
    ends.near->close();  // Resets the connection.
    for (int i = 0; i < 1000 && !ends.far->peer_has_ended(); ++i) co_await on.sleep(1ms);
    EXPECT_TRUE(ends.far->peer_has_ended());
  }(other));
}

// A socket that is closed with unread bytes resets its connection, and the peer may lose what was
// written to it last.
TEST(Stream, WhatWasWrittenLastArrivesThoughThePeersBytesWereNotRead) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    const std::string unread(100'000, 'x');
    ends.near->write(unread);
    co_await ends.far->readable();
    ends.far->write("farewell");
    ends.far->discard_input();
    ends.far->shutdown();
    ends.far->close();
    EXPECT_EQ(co_await read_all(on, *ends.near), "farewell");
  }(loop));
}

TEST(Stream, AConnectionMovesToAnotherLoop) {
  Loop first;
  Loop second;
  DetachedStream moving;
  Ends ends;
  run(first, [](Loop& on, Ends& kept, DetachedStream& out) -> Task<void> {
    kept = co_await connect_ends(on);
    out = kept.far->detach();
    kept.near->write("on its way");
  }(first, ends, moving));
  run(second, [](Loop& on, DetachedStream& in) -> Task<void> {
    Stream adopted(on, std::move(in));
    co_await adopted.readable();
    EXPECT_EQ(read_once(on, adopted), "on its way");
  }(second, moving));
}

int option_of(Stream& stream, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(stream.fd(), level, option, &value, &size), 0);
  return value;
}

TEST(Stream, KeepaliveTakesAsLongAgainAsTheConnectionWasIdle) {  // F56
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    ends.near->keep_alive(0s);
    EXPECT_EQ(option_of(*ends.near, SOL_SOCKET, SO_KEEPALIVE), 0);
    ends.near->keep_alive(60s);
    EXPECT_EQ(option_of(*ends.near, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(option_of(*ends.near, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    EXPECT_EQ(option_of(*ends.near, IPPROTO_TCP, TCP_KEEPINTVL), 10);
    EXPECT_EQ(option_of(*ends.near, IPPROTO_TCP, TCP_KEEPCNT), 6);
    ends.near->keep_alive(1ms);
    EXPECT_EQ(option_of(*ends.near, IPPROTO_TCP, TCP_KEEPIDLE), 1);
    EXPECT_EQ(option_of(*ends.near, IPPROTO_TCP, TCP_KEEPINTVL), 1);
  }(loop));
}

TEST(Stream, APeerThatDoesNotReadIsHeardAllTheSame) {  // F56
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    EXPECT_EQ(ends.near->unheard_for(Loop::now()), Duration{0});
    const std::string much(size_t{1} << 20, 'x');
    while (ends.near->write(much).ok()) {
    }
    EXPECT_EQ(ends.near->unheard_for(Loop::now()), Duration{0});
    co_await on.sleep(500ms);  // TCP asks every 200 ms whether it is read again.
    EXPECT_EQ(ends.near->unheard_for(Loop::now() + 1h), Duration{0});
  }(loop));
}

TEST(Deadline, ThatIsOverInTimeDoesNothing) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    Ends ends = co_await connect_ends(on);
    {
      Deadline deadline(on, *ends.far, 1ms);
    }
    co_await on.sleep(20ms);
    ends.near->write("alive");
    co_await ends.far->readable();
    EXPECT_EQ(read_once(on, *ends.far), "alive");
  }(loop));
}

}  // namespace
}  // namespace fairlead::net
