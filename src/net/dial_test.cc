#include "net/dial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
    port = local_port(*acceptor);
  }
  const auto error = failure_of("127.0.0.1", port);
  ASSERT_TRUE(error);
  EXPECT_TRUE(error->refused);
  EXPECT_EQ(error->error.code, ErrorCode::kConnectionFailure);
  EXPECT_EQ(error->error.message, "could not connect to 127.0.0.1:" + std::to_string(port));
  EXPECT_THAT(error->error.detail, HasSubstr("refused"));
}

TEST(Dial, TellsANameThatNobodyKnows) {
  const auto error = failure_of("no-such-host.invalid", 5432);
  ASSERT_TRUE(error);
  EXPECT_FALSE(error->refused);
  EXPECT_NE(error->error.detail, "");
}

TEST(Dial, TriesEveryAddressOfAName) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    const auto acceptor = listen(on, "127.0.0.1", 0, false);  // "localhost" may be ::1 first.
    auto dialled = co_await dial(on, "localhost", local_port(*acceptor), 5s);
    EXPECT_TRUE(dialled.has_value());
  }(loop));
}

// A listener whose backlog is full answers no further connection on Linux.
TEST(Dial, GivesUpWhenTheTimeIsUp) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    asio::ip::tcp::endpoint any(asio::ip::make_address("127.0.0.1"), 0);
    TcpAcceptor full(on.executor());
    full.open(any.protocol());
    full.bind(any);
    full.listen(0);
    std::vector<TcpSocket> queued;
    std::optional<DialError> error;
    for (int i = 0; i < 8 && !error; ++i) {
      auto dialled = co_await dial(on, "127.0.0.1", local_port(full), 200ms);
      if (dialled) {
        queued.push_back(std::move(*dialled));
      } else {
        error = dialled.error();
      }
    }
    EXPECT_TRUE(error.has_value());
    if (!error) co_return;
    EXPECT_FALSE(error->refused);
    EXPECT_EQ(error->error.detail, "no answer within 200 ms");
  }(loop));
}

TEST(Listen, SaysWhichPortIsTakenAndWhatToDo) {
  Loop loop;
  const auto first = listen(loop, "127.0.0.1", 0, false);
  ASSERT_TRUE(first);
  const auto second = listen(loop, "127.0.0.1", local_port(*first), false);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            "cannot listen on 127.0.0.1:" + std::to_string(local_port(*first)));
  EXPECT_THAT(second.error().detail, HasSubstr("in use"));
  EXPECT_NE(second.error().hint, "");
}

TEST(Listen, WorkersShareAPort) {
  Loop loop;
  const auto first = listen(loop, "127.0.0.1", 0, true);
  ASSERT_TRUE(first);
  EXPECT_TRUE(listen(loop, "127.0.0.1", local_port(*first), true));
}

}  // namespace
}  // namespace fairlead::net
