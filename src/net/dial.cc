#include "net/dial.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "net/address.h"
#include "net/alarm.h"
#include "net/resolver.h"

namespace fairlead::net {
namespace {

// Connections that the kernel accepts before we do: ten thousand clients that arrive at once must
// not see a refusal.
constexpr int kListenBacklog = 4096;

std::string text_of(int error) { return std::generic_category().message(error); }

DialError dial_error(const std::string& host, uint16_t port, std::string_view why,
                     DialFault fault) {
  return {Error{ErrorCode::kConnectionFailure,
                fmt::format("could not connect to {}:{}", host, port), std::string(why)},
          fault};
}

DialFault fault_of(int error) {
  switch (error) {
    case ECONNREFUSED:
      return DialFault::kRefused;
    // What the kernel does itself before a packet has left.
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EACCES:
    case EPERM:
      return DialFault::kOwn;
    default:
      return DialFault::kSilent;
  }
}

int open_socket(int family) {
  return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
}

/// The system's error, 0 when it is connected.
Task<int> connect(Socket& socket, const Address& address) {
  if (::connect(socket.fd(), address.data(), address.size()) == 0) co_return 0;
  if (errno != EINPROGRESS) co_return errno;
  if (!co_await socket.writable()) co_return ECANCELED;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  co_return error;
}

void switch_on(int fd, int option) {
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, option, &on,
               sizeof on);  // Cannot fail for those that are used here.
}

}  // namespace

Task<std::expected<Socket, DialError>> dial(Loop& loop, std::string host, uint16_t port,
                                            Duration timeout) {
  const Time deadline = Loop::now() + timeout;
  auto addresses = co_await Resolver::of_system().resolve(loop, host, timeout);
  if (!addresses)
    co_return std::unexpected(dial_error(host, port, addresses.error(), DialFault::kOwn));

  co_await loop.yield();  // What fails at once fails later, as all else: see dial.h.
  auto connected = co_await connect_any(loop, std::move(*addresses), port, deadline);
  if (connected) co_return std::move(*connected);
  const int last = connected.error();
  const std::string why = last == ETIMEDOUT
                              ? fmt::format("no answer within {} ms", timeout.count() / 1000)
                              : std::string(text_of(last));
  co_return std::unexpected(dial_error(host, port, why, fault_of(last)));
}

Task<std::expected<Socket, int>> connect_any(Loop& loop, Addresses addresses, uint16_t port,
                                             Time until) {
  int last = 0;
  auto untried = static_cast<int64_t>(addresses.size());
  for (Address& address : addresses) {
    const Duration share = std::max(until - Loop::now(), Duration{0}) / untried--;
    const int fd = open_socket(address.family());
    last = errno;
    if (fd < 0) continue;
    Socket socket(loop, fd);
    bool expired = false;
    const Alarm alarm(loop, share, [&] {
      expired = true;
      socket.close();
    });
    address.set_port(port);
    last = co_await connect(socket, address);
    if (last == 0) co_return std::move(socket);
    if (expired) last = ETIMEDOUT;
  }
  co_return std::unexpected(last);
}

Task<std::expected<Socket, int>> Acceptor::accept() {
  for (;;) {
    if (may_take_ == 0) {
      if (!co_await socket_.readable()) co_return std::unexpected(ECANCELED);
      may_take_ = kTakenMax;
    }
    --may_take_;
    const int fd = ::accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) co_return Socket(socket_.loop(), fd);
    if (errno == EAGAIN) {
      may_take_ = 0;
    } else if (errno != EINTR) {
      co_return std::unexpected(errno);
    }
  }
}

void Acceptor::close() {
  socket_.close();
  may_take_ = 0;
}

uint16_t Acceptor::port() const {
  const auto address = Address::local(socket_.fd());
  return address ? address->port() : uint16_t{0};
}

Result<Acceptor> listen(Loop& loop, const std::string& host, uint16_t port, bool shared) {
  const auto failed = [&](std::string_view step, std::string_view why) {
    return fail(ErrorCode::kIo, fmt::format("cannot listen on {}:{}", host, port),
                fmt::format("{}: {}", step, why),
                "Another program may hold the port: choose another one under [listen], or stop "
                "that program.");
  };
  LookedUp found = look_up(host == "*" ? "0.0.0.0" : host);
  if (found.addresses.empty()) return failed("looking up the host", found.trouble);
  Address& address = found.addresses.front();
  address.set_port(port);

  const int fd = open_socket(address.family());
  if (fd < 0) return failed("opening a socket", text_of(errno));
  Socket socket(loop, fd);
  switch_on(fd, SO_REUSEADDR);
  if (shared) switch_on(fd, SO_REUSEPORT);
  if (::bind(fd, address.data(), address.size()) != 0) return failed("binding", text_of(errno));
  if (::listen(fd, kListenBacklog) != 0) return failed("listening", text_of(errno));
  return Acceptor(std::move(socket));
}

}  // namespace fairlead::net
