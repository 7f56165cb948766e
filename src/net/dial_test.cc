#include "net/dial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>

#include "net/address.h"
#include "net/loop_testing.h"

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Task<void> dial_into(Loop& loop, std::string host, uint16_t port, Duration timeout,
                     std::optional<DialError>& error) {
  auto dialled = co_await dial(loop, std::move(host), port, timeout);
  if (!dialled) error = dialled.error();
}

std::optional<DialError> failure_of(const std::string& host, uint16_t port, Duration timeout = 5s) {
  Loop loop;
  std::optional<DialError> error;
  run(loop, dial_into(loop, host, port, timeout, error));
  return error;
}

TEST(Dial, TellsAClosedPortFromOtherTroubles) {  // E7
  uint16_t port = 0;
  {
    Loop loop;
    const auto acceptor = listen(loop, "127.0.0.1", 0, false);
    ASSERT_TRUE(acceptor);
    port = acceptor->port();
  }
  const auto error = failure_of("127.0.0.1", port);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->fault, DialFault::kRefused);
  EXPECT_EQ(error->error.code, ErrorCode::kConnectionFailure);
  EXPECT_EQ(error->error.message, "could not connect to 127.0.0.1:" + std::to_string(port));
  EXPECT_THAT(error->error.detail, HasSubstr("refused"));
}

TEST(Dial, TellsANameThatNobodyKnows) {
  const auto error = failure_of("no-such-host.invalid", 5432);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->fault, DialFault::kOwn);
  EXPECT_NE(error->error.detail, "");
}

TEST(Dial, TriesEveryAddressOfAName) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    auto acceptor = listen(on, "127.0.0.1", 0, false);  // "localhost" may be ::1 first.
    auto dialled = co_await dial(on, "localhost", acceptor->port(), 5s);
    EXPECT_TRUE(dialled.has_value());
  }(loop));
}

// Whoever spawns it must not be called back in the middle of that, however early it fails.
TEST(Dial, FailsLaterAlsoWhatFailsAtOnce) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    rlimit files{};
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
    const rlimit none{.rlim_cur = 0, .rlim_max = files.rlim_max};
    std::optional<DialError> error;
    Spawner spawner(on);
    co_await on.sleep(1ms);  // What the loop itself needs, it has.
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    spawner.spawn(dial_into(on, "127.0.0.1", 1, 5s, error));
    EXPECT_FALSE(error);
    co_await spawner.join();
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
    EXPECT_TRUE(error.has_value());
    if (!error) co_return;
    EXPECT_THAT(error->error.detail, HasSubstr("Too many open files"));
    EXPECT_EQ(error->fault, DialFault::kOwn) << "the host is not to blame";  // E7
  }(loop));
}

/// A listener whose backlog is full answers no further connection on Linux.
struct FullListener {
  explicit FullListener(Loop& loop)
      : fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), acceptor(Socket(loop, fd)) {
    const Address any = *Address::parse("127.0.0.1");
    EXPECT_EQ(::bind(fd, any.data(), any.size()), 0);
    EXPECT_EQ(::listen(fd, 0), 0);
  }

  /// With what the first one is told who is not answered.
  Task<std::optional<DialError>> fill(Loop& loop) {
    for (int i = 0; i < 8; ++i) {
      auto dialled = co_await dial(loop, "127.0.0.1", acceptor.port(), 200ms);
      if (!dialled) co_return dialled.error();
      queued.push_back(std::move(*dialled));
    }
    co_return std::nullopt;
  }

  int fd;
  Acceptor acceptor;
  std::vector<Socket> queued;
};

TEST(Dial, GivesUpWhenTheTimeIsUp) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    FullListener full(on);
    const auto error = co_await full.fill(on);
    EXPECT_TRUE(error.has_value());
    if (!error) co_return;
    EXPECT_EQ(error->fault, DialFault::kSilent);
    EXPECT_EQ(error->error.detail, "no answer within 200 ms");
  }(loop));
}

TEST(Dial, AnAddressThatDoesNotAnswerLeavesTimeForTheOthers) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    FullListener full(on);
    EXPECT_TRUE((co_await full.fill(on)).has_value());
    const uint16_t port = full.acceptor.port();
    const Addresses addresses{*Address::parse("127.0.0.1"), *Address::parse("127.0.0.2")};
    const auto refused = co_await connect_any(on, addresses, port, Loop::now() + 400ms);
    EXPECT_EQ(refused ? 0 : refused.error(), ECONNREFUSED) << "the last one's";
    const auto good = listen(on, "127.0.0.2", port, false);
    EXPECT_TRUE(good.has_value());
    const Time until = Loop::now() + 1s;
    const auto connected = co_await connect_any(on, addresses, port, until);
    EXPECT_TRUE(connected.has_value());
    EXPECT_LT(Loop::now(), until);
  }(loop));
}

TEST(Listen, SaysWhichPortIsTakenAndWhatToDo) {
  Loop loop;
  const auto first = listen(loop, "127.0.0.1", 0, false);
  ASSERT_TRUE(first);
  const auto second = listen(loop, "127.0.0.1", first->port(), false);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, "cannot listen on 127.0.0.1:" + std::to_string(first->port()));
  EXPECT_THAT(second.error().detail, HasSubstr("in use"));
  EXPECT_NE(second.error().hint, "");
}

TEST(Listen, OnAllAddresses) {
  Loop loop;
  const auto all = listen(loop, "*", 0, false);
  ASSERT_TRUE(all);
  EXPECT_EQ(failure_of("127.0.0.1", all->port()), std::nullopt);
}

TEST(Listen, ManyThatComeAtOnceAreAllAccepted) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    auto acceptor = listen(on, "127.0.0.1", 0, false);
    std::vector<Socket> clients;
    for (int i = 0; i < 100; ++i) {
      auto client = co_await dial(on, "127.0.0.1", acceptor->port(), 5s);
      EXPECT_TRUE(client.has_value());
      if (client) clients.push_back(std::move(*client));
    }
    for (int i = 0; i < 100; ++i) EXPECT_TRUE((co_await acceptor->accept()).has_value());
    const Alarm nobody_else(on, 50ms, [&] { acceptor->close(); });
    EXPECT_EQ((co_await acceptor->accept()).error(), ECANCELED);
    EXPECT_EQ((co_await acceptor->accept()).error(), ECANCELED);
  }(loop));
}

TEST(Listen, WorkersShareAPort) {
  Loop loop;
  const auto first = listen(loop, "127.0.0.1", 0, true);
  ASSERT_TRUE(first);
  EXPECT_TRUE(listen(loop, "127.0.0.1", first->port(), true));
}

}  // namespace
}  // namespace fairlead::net
