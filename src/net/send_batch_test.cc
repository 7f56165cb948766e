#include "net/send_batch.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <thread>

#include "net/loop_testing.h"
#include "net/outbox.h"

namespace fairlead::net {
namespace {

/// What a container does that forbids io_uring: for this thread, until it ends. `call`: of the
/// system's, by its number.
bool forbid_io_uring(uint32_t call = __NR_io_uring_setup) {
  std::array code{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = code.size(), .filter = code.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// Connections whose outboxes send in one turn.
struct Several {
  std::vector<Ends> ends;
  std::vector<std::unique_ptr<Outbox>> out;
};

Task<Several> connect_several(Loop& on, Spawner& spawner, size_t count) {
  Several several;
  for (size_t i = 0; i < count; ++i) {
    several.ends.push_back(co_await connect_ends(on));
    several.out.push_back(std::make_unique<Outbox>(on, *several.ends[i].near, spawner));
  }
  co_return several;
}

/// With and without io_uring: nobody can tell by what arrives.
class SendBatchTest : public testing::TestWithParam<bool> {
 protected:
  void run_each(Task<void> (*test)(Loop&)) {
    std::thread([&] {
      if (!GetParam()) ASSERT_TRUE(forbid_io_uring());
      Loop loop;
      run(loop, test(loop));
    }).join();
  }
};

INSTANTIATE_TEST_SUITE_P(Rings, SendBatchTest, testing::Bool(), [](const auto& tested) {
  return tested.param ? "WithIoUring" : "ForbiddenIoUring";
});

TEST_P(SendBatchTest, SendsTheSameInTheSameOrder) {
  run_each([](Loop& on) -> Task<void> {
    constexpr size_t kCount = 150;  // More than go at once.
    Spawner spawner(on);
    const Several several = co_await connect_several(on, spawner, kCount);
    for (const char* part : {"first ", "second"}) {
      for (size_t i = 0; i < kCount; ++i) several.out[i]->send(part + std::to_string(i));
    }
    co_await next_turn(on);
    for (size_t i = 0; i < kCount; ++i) {
      several.ends[i].near->shutdown();
      EXPECT_EQ(co_await read_all(on, *several.ends[i].far),
                "first " + std::to_string(i) + "second" + std::to_string(i));
    }
  });
}

TEST_P(SendBatchTest, SendsNothingOfNothing) {
  run_each([](Loop& on) -> Task<void> {
    Spawner spawner(on);
    const Several several = co_await connect_several(on, spawner, 2);
    for (const auto& out : several.out) out->send("");
    co_await next_turn(on);
    for (const auto& out : several.out) EXPECT_FALSE(out->broken());
  });
}

/// Whether the first of `several` has its answer before others of the same turn come to theirs.
Task<void> look(Loop& on, const Several& several, bool& has_arrived) {
  co_await on.yield();
  has_arrived = has_input(*several.ends[0].far);
}

TEST_P(SendBatchTest, NobodyWaitsForWhatIsLargeOrForMany) {
  run_each([](Loop& on) -> Task<void> {
    constexpr size_t kMany = 64;
    Spawner spawner(on);
    for (const bool is_large : {false, true}) {
      for (const size_t count : {kMany - 1, kMany}) {
        const Several several = co_await connect_several(on, spawner, count);
        co_await next_turn(on);
        bool has_arrived = false;
        spawner.spawn([](Loop& loop, const Several& all, bool large) -> Task<void> {
          co_await loop.yield();
          for (const auto& out : all.out) out->send("hello");
          if (large) all.out.back()->send(std::string(Outbox::kHeldBackMax, 'x'));
        }(on, several, is_large));
        spawner.spawn(look(on, several, has_arrived));
        co_await spawner.join();
        EXPECT_EQ(has_arrived, is_large || count == kMany) << count;
      }
    }
  });
}

TEST_P(SendBatchTest, WhoDoesNotReadKeepsNobodyWaitingAndGetsAll) {
  run_each([](Loop& on) -> Task<void> {
    Spawner spawner(on);
    const Several several = co_await connect_several(on, spawner, 3);
    // Behind others in the same turn, so that the socket takes a part of a held back send, or none.
    size_t sent = 0;
    for (; !several.out[1]->blocked(); sent += Outbox::kHeldBackMax) {
      several.out[0]->send("a");
      several.out[1]->send(std::string(Outbox::kHeldBackMax, 'x'));
      several.out[2]->send("c");
      co_await next_turn(on);
    }
    several.out[1]->send("the end");
    several.out[2]->send("!");
    co_await next_turn(on);
    several.ends[2].near->shutdown();
    const size_t turns = sent / Outbox::kHeldBackMax;
    EXPECT_EQ(co_await read_all(on, *several.ends[2].far), std::string(turns, 'c') + "!");
    spawner.spawn([](Outbox& box, Stream& stream) -> Task<void> {
      co_await box.drained();
      stream.shutdown();
    }(*several.out[1], *several.ends[1].near));
    const std::string got = co_await read_all(on, *several.ends[1].far);
    EXPECT_EQ(got, std::string(sent, 'x') + "the end");
    co_await spawner.join();
  });
}

TEST_P(SendBatchTest, APeerThatIsGoneBreaksItsOwnOutboxOnly) {
  run_each([](Loop& on) -> Task<void> {
    Spawner spawner(on);
    const Several several = co_await connect_several(on, spawner, 3);
    // Who is told of it sends to somebody else, and gives up another outbox that waits for the
    // same.
    several.out[0]->on_drained([&] {
      several.out[1]->send(" and more");
      several.out[2]->send_now();
    });
    several.ends[0].near->shutdown();
    several.out[0]->send("nobody gets this");
    several.out[1]->send("this arrives");
    several.out[2]->send("this, too");
    co_await next_turn(on);
    EXPECT_TRUE(several.out[0]->broken());
    for (const size_t i : {1u, 2u}) {
      EXPECT_FALSE(several.out[i]->broken());
      several.ends[i].near->shutdown();
    }
    EXPECT_EQ(co_await read_all(on, *several.ends[1].far), "this arrives and more");
    EXPECT_EQ(co_await read_all(on, *several.ends[2].far), "this, too");
  });
}

TEST_P(SendBatchTest, AnOutboxMayDieWhileOthersAreToldOfTheirSends) {
  run_each([](Loop& on) -> Task<void> {
    Spawner spawner(on);
    Several several = co_await connect_several(on, spawner, 4);
    bool was_told = false;
    several.out[0]->on_drained([&] {
      several.out[1].reset();
      several.out[2].reset();
    });
    several.out[2]->on_drained([&] { was_told = true; });
    for (const size_t gone : {0u, 2u}) several.ends[gone].near->shutdown();
    for (const auto& out : several.out) out->send("hello");
    co_await next_turn(on);
    EXPECT_EQ(several.out[2], nullptr);
    EXPECT_FALSE(was_told);
    several.ends[3].near->shutdown();
    EXPECT_EQ(co_await read_all(on, *several.ends[3].far), "hello");
  });
}

TEST_P(SendBatchTest, AStreamThatWasClosedMeanwhileIsGone) {
  run_each([](Loop& on) -> Task<void> {
    Spawner spawner(on);
    const Several several = co_await connect_several(on, spawner, 2);
    for (const auto& out : several.out) out->send("hello");
    several.ends[0].near->close();
    co_await next_turn(on);
    EXPECT_TRUE(several.out[0]->broken());
    several.ends[1].near->shutdown();
    EXPECT_EQ(co_await read_all(on, *several.ends[1].far), "hello");
  });
}

TEST_P(SendBatchTest, WhatARingHasNotTriedArrivesAllTheSame) {
  run_each([](Loop& on) -> Task<void> {
    Spawner spawner(on);
    const Several several = co_await connect_several(on, spawner, 2);
    for (const char* part : {"before ", "when it fails ", "after"}) {
      for (const auto& out : several.out) out->send(part);
      if (part == std::string_view("when it fails "))
        EXPECT_TRUE(forbid_io_uring(__NR_io_uring_enter));
      co_await next_turn(on);
    }
    for (size_t i = 0; i < several.out.size(); ++i) {
      co_await several.out[i]->drained();
      several.ends[i].near->shutdown();
      EXPECT_EQ(co_await read_all(on, *several.ends[i].far), "before when it fails after");
    }
    co_await spawner.join();
  });
}

TEST(SendRing, SaysWhyThereIsNone) {
  std::thread([] {
    ASSERT_TRUE(forbid_io_uring());
    const auto ring = SendRing::open();
    ASSERT_FALSE(ring.has_value());
    EXPECT_EQ(ring.error().detail, "Operation not permitted");
  }).join();
}

TEST(SendRing, TellsBytesAndErrnoOfEachSend) {
  auto ring = SendRing::open();
  if (!ring) GTEST_SKIP() << describe(ring.error());
  Loop loop;
  run(loop, [](Loop& on, SendRing& by) -> Task<void> {
    const Ends ends = co_await connect_ends(on);
    const Ends ended = co_await connect_ends(on);
    ended.near->shutdown();
    std::array sends{SendRing::Send{.fd = ended.near->fd(), .bytes = "nobody"},
                     SendRing::Send{.fd = -1, .bytes = "nowhere"},
                     SendRing::Send{.fd = ends.near->fd(), .bytes = "hello"}};
    EXPECT_TRUE(by.send(sends).has_value());
    EXPECT_EQ(sends[0].result, -EPIPE);
    EXPECT_EQ(sends[1].result, -EBADF);
    EXPECT_EQ(sends[2].result, 5);
  }(loop, **ring));
}

}  // namespace
}  // namespace fairlead::net
