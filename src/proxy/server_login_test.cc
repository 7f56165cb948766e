#include "proxy/server_login.h"

#include <gtest/gtest.h>

#include "net/loop_testing.h"
#include "proxy/login_testing.h"

namespace fairlead::proxy {
namespace {

using net::Loop;
using net::Task;

constexpr Duration kTimeout = std::chrono::seconds(1);
constexpr Duration kLate = kTimeout * 3 / 5;  // In time, if nothing else takes any.

/// What a slow server does with one connection, in its order: an answer, or "" for the end. Each
/// comes late.
using Script = std::vector<std::string>;

Task<void> play(Loop& loop, net::Acceptor& acceptor, std::vector<Script> scripts) {
  for (const Script& script : scripts) {
    auto accepted = co_await acceptor.accept();
    if (!accepted) co_return;
    net::Stream stream(std::move(*accepted));
    for (const std::string& answer : script) {
      co_await stream.readable();
      (void)stream.read(loop.scratch());
      co_await loop.sleep(kLate);
      answer.empty() ? stream.close() : void(stream.write(answer));
    }
  }
}

/// Logs in to a server that does this with one connection after the other; nullopt: it lets us in.
std::optional<LoginFailure> failure_at(std::vector<Script> scripts, net::TlsMode mode) {
  std::optional<LoginFailure> failure;
  Loop loop;
  auto acceptor = net::listen(loop, "127.0.0.1", 0, false);
  net::run(loop,
           [](Loop& on, net::Acceptor& server, net::TlsMode tls, std::vector<Script> parts,
              auto& out) -> Task<void> {
             net::Spawner spawner(on);
             spawner.spawn(play(on, server, std::move(parts)));
             auto in =
                 co_await log_in(on, endpoint_at(server.port(), tls, kTimeout), login_of_tester());
             server.close();
             if (in)
               in->stream->close();
             else
               out = in.error();
             co_await spawner.join();
           }(loop, *acceptor, mode, std::move(scripts), failure));
  return failure;
}

TEST(ServerLogin, MayTakeAllItsTimeForOneStep) {
  EXPECT_FALSE(failure_at({{welcome_of_server()}}, net::TlsMode::kDisable).has_value());
}

TEST(ServerLogin, HasNoMoreTimeForAllItsStepsThanForOne) {  // E7
  const auto failure = failure_at({{"N", welcome_of_server()}}, net::TlsMode::kPrefer);
  ASSERT_TRUE(failure.has_value());
  EXPECT_TRUE(failure->timed_out) << failure->error.message;
}

TEST(ServerLogin, HasNoMoreTimeForBothTransportsThanForOne) {  // E7
  EXPECT_TRUE(failure_at({{""}, {welcome_of_server()}}, net::TlsMode::kPrefer).has_value());
}

}  // namespace
}  // namespace fairlead::proxy
