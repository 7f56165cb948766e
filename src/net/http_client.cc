#include "net/http_client.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "net/deadline.h"
#include "net/dial.h"

namespace fairlead::net {
namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;

constexpr uint32_t kHeaderMax = 16 << 10;

std::string host_header(const HttpGet& request) {
  const bool is_v6 = request.host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(is_v6 ? "[{}]:{}" : "{}:{}"), request.host, request.port);
}

std::string url_of(const HttpGet& request) {
  return fmt::format("{}://{}{}", request.tls ? "https" : "http", host_header(request),
                     request.target);
}

std::string serialized(const HttpGet& request) {
  std::string text = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: fairlead\r\nAccept: application/json\r\n"
      "Connection: close\r\n",
      request.target, host_header(request));
  if (!request.authorization.empty())
    text += fmt::format("Authorization: {}\r\n", request.authorization);
  return text + "\r\n";
}

std::unexpected<Error> failed(const HttpGet& request, ErrorCode code, std::string why) {
  return fail(code, fmt::format("GET {} failed", url_of(request)), std::move(why));
}

/// Gives the parser what has come so far. What it does not want yet, the beginning of a header,
/// stays in `pending`.
boost::system::error_code feed(Parser& parser, std::string& pending) {
  boost::system::error_code error;
  while (!pending.empty() && !parser.is_done()) {
    const size_t taken = parser.put(boost::asio::buffer(pending), error);
    pending.erase(0, taken);
    if (error == http::error::need_more) return {};
    if (error) return error;
    if (taken == 0) return {};
  }
  return error;
}

/// Reads until the answer is whole. nullopt: it is; else what was wrong with it.
Task<std::optional<std::string>> receive(Stream& stream, Parser& parser) {
  std::array<char, 4096> chunk;
  std::string pending;
  boost::system::error_code error;
  while (!parser.is_done()) {
    const Transfer got = stream.read(chunk);
    if (got.would_block()) {
      if (!co_await stream.readable()) co_return "the connection was interrupted";
      continue;
    }
    if (got.closed()) {
      if (parser.got_some()) parser.put_eof(error);
      if (error || !parser.is_done())
        co_return parser.got_some() ? "the answer was cut off"
                                    : "the connection was closed unanswered";
      break;
    }
    pending.append(chunk.data(), got.bytes);
    error = feed(parser, pending);
    if (error == http::error::body_limit || error == http::error::header_limit)
      co_return "the answer is too large";
    if (error) co_return fmt::format("this is no HTTP: {}", error.message());
  }
  co_return std::nullopt;
}

}  // namespace

Task<Result<HttpAnswer>> http_get(Loop& loop, HttpGet request) {
  const Time deadline = Loop::now() + request.timeout;
  auto socket = co_await dial(loop, request.host, request.port, request.timeout);
  if (!socket)
    co_return failed(request, ErrorCode::kConnectionFailure, describe(socket.error().error));
  Stream stream(std::move(*socket));
  const Deadline guard(loop, stream, std::max(deadline - Loop::now(), Duration{1}));
  const auto too_late = [&] {
    return failed(request, ErrorCode::kConnectionFailure,
                  fmt::format("no whole answer within {} ms", request.timeout.count() / 1000));
  };
  if (request.tls) {
    auto secured = co_await stream.connect_tls(*request.tls, request.host);
    if (guard.expired()) co_return too_late();
    if (!secured)
      co_return failed(request, ErrorCode::kConnectionFailure, describe(secured.error()));
  }
  if (!co_await write_all(stream, serialized(request))) {
    if (guard.expired()) co_return too_late();
    co_return failed(request, ErrorCode::kConnectionFailure, "the connection was closed");
  }
  Parser parser;
  parser.eager(true);
  parser.header_limit(kHeaderMax);
  parser.body_limit(request.body_max);
  const auto trouble = co_await receive(stream, parser);
  if (guard.expired()) co_return too_late();
  if (trouble) co_return failed(request, ErrorCode::kProtocolViolation, *trouble);
  auto message = parser.release();
  const auto date = message[http::field::date];
  co_return HttpAnswer{.status = message.result_int(),
                       .date = std::string(date.data(), date.size()),
                       .body = std::move(message.body())};
}

}  // namespace fairlead::net
