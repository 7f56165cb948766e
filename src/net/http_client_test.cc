#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/loop_testing.h"

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

/// One conversation: what was asked, what was answered byte for byte, and what came of it.
struct Exchange {
  std::string answer;  // What the server writes …
  bool ends = true;    // … and whether it closes afterwards.
  std::string authorization = {};
  Duration timeout = 5s;
  size_t body_max = 1000;

  std::string asked = {};
  Result<HttpAnswer> result = HttpAnswer{};
};

Task<void> serve(Loop& loop, Acceptor& acceptor, Exchange& exchange) {
  auto socket = co_await acceptor.accept();
  if (!socket) co_return;
  Stream stream(std::move(*socket));
  while (!exchange.asked.ends_with("\r\n\r\n")) {
    const Transfer got = stream.read(loop.scratch());
    if (got.closed()) co_return;
    if (got.ok()) exchange.asked.append(loop.scratch().data(), got.bytes);
    if (got.would_block()) co_await stream.readable();
  }
  // A few bytes at a time, so that many a place is one where the answer is not there yet.
  const size_t step = exchange.answer.size() / 100 + 1;
  for (size_t at = 0; at < exchange.answer.size(); at += step) {
    (void)stream.write(std::string_view(exchange.answer).substr(at, step));
    co_await loop.sleep(Duration{1});
  }
  if (!exchange.ends) (void)co_await read_all(loop, stream);
}

Task<void> hold(Loop& loop, Exchange& exchange) {
  auto acceptor = listen(loop, "127.0.0.1", 0, false);
  Spawner spawner(loop);
  spawner.spawn(serve(loop, *acceptor, exchange));
  exchange.result = co_await http_get(loop, {.host = "127.0.0.1",
                                             .port = acceptor->port(),
                                             .target = "/cluster",
                                             .authorization = exchange.authorization,
                                             .timeout = exchange.timeout,
                                             .body_max = exchange.body_max});
  co_await spawner.join();
}

Exchange after(Exchange exchange) {
  Loop loop;
  run(loop, hold(loop, exchange));
  return exchange;
}

std::string why(const Exchange& exchange) {
  return exchange.result ? "it was an answer" : exchange.result.error().detail;
}

TEST(HttpGet, AsksForOneThingAndGivesTheAnswersBody) {
  const Exchange held = after(
      {.answer = "HTTP/1.0 200 OK\r\nServer: x\r\nDate: Fri, 27 Nov 2026 08:54:03 GMT\r\n\r\n{}",
       .authorization = "Basic dTpw"});
  ASSERT_TRUE(held.result) << describe(held.result.error());
  EXPECT_EQ(held.result->status, 200u);
  EXPECT_EQ(held.result->date, "Fri, 27 Nov 2026 08:54:03 GMT");
  EXPECT_EQ(held.result->body, "{}");
  EXPECT_TRUE(held.asked.starts_with("GET /cluster HTTP/1.1\r\n")) << held.asked;
  EXPECT_THAT(held.asked, HasSubstr("\r\nAuthorization: Basic dTpw\r\n"));
  EXPECT_THAT(after({.answer = "HTTP/1.0 200 OK\r\n\r\n"}).asked, Not(HasSubstr("Authorization")));
}

TEST(HttpGet, EveryFormOfABodyIsRead) {
  for (const char* rest : {"Content-Length: 5\r\n\r\nhello",
                           "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"}) {
    // The end is announced, so a server that keeps the connection is not waited for.
    const Exchange held = after(
        {.answer = "HTTP/1.1 503 Service Unavailable\r\n" + std::string(rest), .ends = false});
    ASSERT_TRUE(held.result) << describe(held.result.error());
    EXPECT_EQ(held.result->body, "hello");
    EXPECT_EQ(held.result->status, 503u);
  }
}

TEST(HttpGet, WhatIsCutOffIsNoAnswer) {
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  for (size_t length = 0; length < whole.size(); ++length) {
    const Exchange held = after({.answer = whole.substr(0, length)});
    EXPECT_FALSE(held.result) << length;
  }
  EXPECT_EQ(why(after({.answer = whole.substr(0, 40)})), "the answer was cut off");
  EXPECT_EQ(why(after({.answer = ""})), "the connection was closed unanswered");
}

TEST(HttpGet, WhatIsTooLargeIsNotReadToItsEnd) {
  const std::string large(1001, 'x');
  EXPECT_EQ(why(after({.answer = "HTTP/1.0 200 OK\r\n\r\n" + large})), "the answer is too large");
  EXPECT_EQ(why(after({.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"})),
            "the answer is too large");
  EXPECT_EQ(why(after({.answer = "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x')})),
            "the answer is too large");
}

TEST(HttpGet, WhoDoesNotAnswerOrSpeaksSomethingElseIsToldApart) {
  EXPECT_EQ(why(after({.answer = "HTTP/1.0 200 OK\r\n", .ends = false, .timeout = 50ms})),
            "no whole answer within 50 ms");
  EXPECT_THAT(why(after({.answer = "ERROR: no such thing\r\n\r\n"})), HasSubstr("no HTTP"));
  const Exchange held = after({.answer = "", .authorization = "Basic c2VjcmV0"});
  EXPECT_THAT(describe(held.result.error()), HasSubstr("/cluster failed"));
  EXPECT_THAT(describe(held.result.error()), Not(HasSubstr("c2VjcmV0")));
}

}  // namespace
}  // namespace fairlead::net
