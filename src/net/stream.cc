#include "net/stream.h"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/assert.h"
#include "net/address.h"
#include "net/tls.h"

namespace fairlead::net {
namespace {

// Of keepalive, one after the other within the span that the connection was idle before: a few
// packets that are lost say nothing.
constexpr int kKeepaliveProbes = 6;

Transfer from_syscall(ssize_t result) { return transfer_of(result < 0 ? -errno : result); }

Transfer from_ssl(SSL* ssl, int result, size_t bytes) {
  if (result == 1) return {Transfer::State::kOk, bytes};
  switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {Transfer::State::kWouldBlock};
    case SSL_ERROR_ZERO_RETURN:
      return {Transfer::State::kEnd};
    default:
      ERR_clear_error();
      return {Transfer::State::kFailed};
  }
}

}  // namespace

Transfer transfer_of(ssize_t result) {
  if (result > 0) return {Transfer::State::kOk, static_cast<size_t>(result)};
  if (result == 0) return {Transfer::State::kEnd};
  if (result == -EAGAIN || result == -EWOULDBLOCK || result == -EINTR)
    return {Transfer::State::kWouldBlock};
  return {Transfer::State::kFailed};
}

Stream::Stream(Socket socket) : socket_(std::move(socket)) {
  const int on = 1;  // A socket that is already dead fails at its first read.
  ::setsockopt(fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Stream::Stream(Loop& loop, DetachedStream detached)
    : socket_(loop, detached.fd), ssl_(std::move(detached.ssl)) {}

Transfer Stream::read(std::span<char> into) {
  const Transfer got = read_now(into);
  ++reads_in_turn_;
  // A short read has emptied the socket; TLS may hold decrypted bytes of its own.
  may_have_input_ = got.closed() || (got.ok() && (ssl_ != nullptr || got.bytes == into.size()));
  return got;
}

Transfer Stream::read_now(std::span<char> into) {
  if (ssl_ == nullptr) return from_syscall(::recv(fd(), into.data(), into.size(), MSG_DONTWAIT));
  size_t bytes = 0;
  const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &bytes);
  return from_ssl(ssl_.get(), result, bytes);
}

Transfer Stream::write(std::string_view bytes) {
  if (bytes.empty()) return {Transfer::State::kOk};
  if (ssl_ == nullptr)
    return from_syscall(::send(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
  size_t written = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
  return from_ssl(ssl_.get(), result, written);
}

Transfer Stream::peek(std::span<char> into) {
  require(ssl_ == nullptr, "peek is for the bytes before TLS");
  return from_syscall(::recv(fd(), into.data(), into.size(), MSG_DONTWAIT | MSG_PEEK));
}

bool Stream::peer_has_left() {
  char byte = 0;
  return from_syscall(::recv(fd(), &byte, 1, MSG_DONTWAIT | MSG_PEEK)).closed();
}

bool Stream::peer_has_ended() {
  pollfd watched{.fd = fd(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&watched, 1, 0) > 0;  // POLLERR and POLLHUP are told of in any case.
}

void Stream::discard_input() {
  constexpr int kReadsMax = 64;
  std::array<char, size_t{16} * 1024> unread;
  for (int i = 0; i < kReadsMax && read(unread).ok(); ++i) {
  }
}

void Stream::set_low_water(size_t bytes) {
  const int value = static_cast<int>(bytes);
  ::setsockopt(fd(), SOL_SOCKET, SO_RCVLOWAT, &value,
               sizeof value);  // Cannot fail on a TCP socket with a positive value.
}

void Stream::keep_alive(Duration idle) {
  if (idle.count() <= 0) return;
  const auto set = [this](int level, int option, int value) {
    ::setsockopt(fd(), level, option, &value, sizeof value);  // A dead socket fails at its use.
  };
  const auto seconds = static_cast<int>(std::chrono::ceil<std::chrono::seconds>(idle).count());
  set(IPPROTO_TCP, TCP_KEEPIDLE, seconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, std::max(1, seconds / kKeepaliveProbes));
  set(IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
}

/// Not by TCP_USER_TIMEOUT: Linux ends connections by it to peers that are there, acknowledge, and
/// do not read, such as a server whose COPY waits for a lock, or a client with a pager.
Duration Stream::unheard_for(Time now) {
  tcp_info info{};
  socklen_t size = sizeof info;
  const bool is_told = ::getsockopt(fd(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
  return silence_.on_asked(!is_told || info.tcpi_unacked == 0 || info.tcpi_retransmits == 0, now);
}

void Stream::interrupt() { socket_.interrupt(); }

void Stream::shutdown() {
  if (ssl_ != nullptr) {
    SSL_shutdown(
        ssl_.get());  // Says goodbye if the socket takes it at once; nobody waits for an answer.
    ERR_clear_error();
  }
  ::shutdown(fd(), SHUT_RDWR);  // Fails if the peer was faster.
}

void Stream::close() { socket_.close(); }

Task<Result<void>> Stream::handshake(std::string what) {
  for (;;) {
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) co_return Result<void>{};
    const int reason = SSL_get_error(ssl_.get(), result);
    if (reason == SSL_ERROR_WANT_READ) {
      if (!co_await readable())
        co_return fail(ErrorCode::kConnectionFailure, what + " was interrupted");
    } else if (reason == SSL_ERROR_WANT_WRITE) {
      if (!co_await writable())
        co_return fail(ErrorCode::kConnectionFailure, what + " was interrupted");
    } else {
      co_return fail(ErrorCode::kConnectionFailure, what + " failed", tls_failure(ssl_.get()));
    }
  }
}

Task<Result<void>> Stream::accept_tls(const TlsServer& tls) {
  ssl_ = tls.make(fd());
  return handshake("the TLS handshake with the client");
}

Task<Result<void>> Stream::connect_tls(const TlsClient& tls, const std::string& host) {
  auto ssl = tls.make(fd(), host);
  if (!ssl) co_return std::unexpected(std::move(ssl.error()));
  ssl_ = std::move(*ssl);
  co_return co_await handshake("the TLS handshake with the server");
}

std::string Stream::peer() const {
  const auto address = Address::peer(fd());
  if (!address) return "a closed connection";
  return address->host() + ":" + std::to_string(address->port());
}

DetachedStream Stream::detach() { return {socket_.release(), std::move(ssl_)}; }

Task<Result<void>> write_all(Stream& stream, std::string bytes) {
  std::string_view rest = bytes;
  for (;;) {
    const Transfer written = stream.write(rest);
    if (written.closed()) break;
    rest.remove_prefix(written.bytes);
    if (rest.empty()) co_return Result<void>{};
    if (!co_await stream.writable()) break;
  }
  co_return fail(ErrorCode::kConnectionFailure, "the connection was closed");
}

}  // namespace fairlead::net
