#include "net/dial.h"

#include <fmt/format.h>
#include <sys/socket.h>

namespace fairlead::net {
namespace {

// Connections that the kernel accepts before we do: ten thousand clients that arrive at once must
// not see a refusal.
constexpr int kListenBacklog = 4096;

struct DialTimeout {
  TcpSocket* socket;
  bool expired = false;
};

DialError dial_error(const std::string& host, uint16_t port, std::string_view why, bool refused) {
  return {Error{ErrorCode::kConnectionFailure,
                fmt::format("could not connect to {}:{}", host, port), std::string(why)},
          refused};
}

}  // namespace

Task<std::expected<TcpSocket, DialError>> dial(Loop& loop, std::string host, uint16_t port,
                                               Duration timeout) {
  asio::ip::basic_resolver<asio::ip::tcp, Executor> resolver(loop.executor());
  TcpSocket socket(loop.executor());
  auto state = std::make_shared<DialTimeout>(DialTimeout{&socket});
  Timer timer(loop.executor(), timeout);
  timer.async_wait([state, &resolver](boost::system::error_code error) {
    if (error || state->socket == nullptr) return;
    state->expired = true;
    resolver.cancel();
    boost::system::error_code ignored;
    state->socket->close(ignored);
  });

  auto [resolve_error, addresses] =
      co_await resolver.async_resolve(host, std::to_string(port), use_result);
  boost::system::error_code last = resolve_error;
  bool connected = false;
  if (!resolve_error) {
    for (const auto& address : addresses) {
      if (state->expired) break;
      boost::system::error_code ignored;
      socket.close(ignored);
      const auto [error] = co_await socket.async_connect(address.endpoint(), use_result);
      last = error;
      if (!error) {
        connected = true;
        break;
      }
    }
  }
  const bool expired = state->expired;
  state->socket = nullptr;  // The timer's handler may still run, after this frame is gone.
  timer.cancel();
  if (connected && !expired) co_return socket;
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
