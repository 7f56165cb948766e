#include "net/dial.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

#include "net/alarm.h"
#include "net/resolver.h"

namespace fairlead::net {
namespace {

// Connections that the kernel accepts before we do: ten thousand clients that arrive at once must
// not see a refusal.
constexpr int kListenBacklog = 4096;

DialError dial_error(const std::string& host, uint16_t port, std::string_view why, bool refused) {
  return {Error{ErrorCode::kConnectionFailure,
                fmt::format("could not connect to {}:{}", host, port), std::string(why)},
          refused};
}

}  // namespace

Task<std::expected<TcpSocket, DialError>> dial(Loop& loop, std::string host, uint16_t port,
                                               Duration timeout) {
  const Time deadline = Loop::now() + timeout;
  auto addresses = co_await Resolver::of_system().resolve(loop, host, timeout);
  if (!addresses) co_return std::unexpected(dial_error(host, port, addresses.error(), false));

  TcpSocket socket(loop.executor());
  bool expired = false;
  const Alarm alarm(loop, std::max(deadline - Loop::now(), Duration{0}), [&] {
    expired = true;
    boost::system::error_code ignored;
    socket.close(ignored);
  });
  boost::system::error_code last;
  for (asio::ip::tcp::endpoint& address : *addresses) {
    boost::system::error_code ignored;
    socket.close(ignored);
    address.port(port);
    const auto [error] = co_await socket.async_connect(address, use_result);
    if (expired) break;
    if (!error) co_return socket;
    last = error;
  }
  if (expired)
    co_return std::unexpected(dial_error(
        host, port, fmt::format("no answer within {} ms", timeout.count() / 1000), false));
  co_return std::unexpected(
      dial_error(host, port, last.message(), last == asio::error::connection_refused));
}

Result<TcpAcceptor> listen(Loop& loop, const std::string& host, uint16_t port, bool shared) {
  const auto failed = [&](std::string_view step, const boost::system::error_code& error) {
    return fail(ErrorCode::kIo, fmt::format("cannot listen on {}:{}", host, port),
                fmt::format("{}: {}", step, error.message()),
                "Another program may hold the port: choose another one under [listen], or stop "
                "that program.");
  };
  boost::system::error_code error;
  asio::ip::basic_resolver<asio::ip::tcp, Executor> resolver(loop.executor());
  const auto found =
      resolver.resolve(host, std::to_string(port), asio::ip::resolver_base::passive, error);
  if (error || found.empty()) return failed("looking up the host", error);
  const asio::ip::tcp::endpoint endpoint = found.begin()->endpoint();

  TcpAcceptor acceptor(loop.executor());
  acceptor.open(endpoint.protocol(), error);
  if (error) return failed("opening a socket", error);
  acceptor.set_option(asio::socket_base::reuse_address(true), error);
  const int on = 1;
  if (shared &&
      ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    return failed("sharing the port between workers", {errno, boost::system::system_category()});
  }
  acceptor.bind(endpoint, error);
  if (error) return failed("binding", error);
  acceptor.listen(kListenBacklog, error);
  if (error) return failed("listening", error);
  return acceptor;
}

uint16_t local_port(const TcpAcceptor& acceptor) {
  boost::system::error_code error;
  const auto endpoint = acceptor.local_endpoint(error);
  return error ? uint16_t{0} : endpoint.port();
}

}  // namespace fairlead::net
