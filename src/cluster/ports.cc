// Binding to port 0.
#include "cluster/ports.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace fairlead::cluster {

namespace {

socklen_t fill(sockaddr_storage& address, const std::string& host, uint16_t port) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return sizeof *v4;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
  if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    return sizeof *v6;
  }
  return 0;
}

uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

Result<PortReservation> PortReservation::make(const std::string& host, uint16_t port) {
  sockaddr_storage address{};
  socklen_t size = fill(address, host, port);
  if (size == 0)
    return fail(ErrorCode::kInvalidParameterValue, fmt::format("\"{}\" is not an address", host));
  Fd socket(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (!socket || setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) {
    const int error = errno;
    if (error == EADDRINUSE)
      return fail(ErrorCode::kIo, fmt::format("port {} of {} is in use", port, host),
                  std::strerror(error), "end the other server, or choose other ports");
    return fail(ErrorCode::kIo, fmt::format("cannot take port {} of {}", port, host),
                std::strerror(error),
                error == EADDRNOTAVAIL ? "choose an address of this machine" : "");
  }
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return fail(ErrorCode::kIo, "cannot learn a port's number", std::strerror(errno));
  return PortReservation(std::move(socket), port_of(address));
}

}  // namespace fairlead::cluster
