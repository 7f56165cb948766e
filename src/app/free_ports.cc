#include "app/free_ports.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "cluster/fd.h"

namespace fairlead::app {

namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

/// The address that the proxy will take: the first one, as in net::listen().
Addresses look_up(const std::string& host, uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  return {found, freeaddrinfo};
}

bool is_taken(const std::string& host, uint16_t port) {
  const Addresses addresses = look_up(host, port);
  if (addresses == nullptr) return false;
  const cluster::Fd socket(
      ::socket(addresses->ai_family, addresses->ai_socktype | SOCK_CLOEXEC, 0));
  // Without SO_REUSEPORT; what is only left over from closed connections takes nobody's place.
  const int on = 1;
  return socket && setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
         bind(socket.get(), addresses->ai_addr, addresses->ai_addrlen) != 0 && errno == EADDRINUSE;
}

}  // namespace

Result<void> check_ports_are_free(const config::Listen& listen) {
  const std::array<std::pair<std::string_view, uint16_t>, 3> ports{
      {{"port", listen.port},
       {"read_port", listen.read_port},
       {"primary_port", listen.primary_port}}};
  for (const auto& [key, port] : ports) {
    if (port == 0 || !is_taken(listen.host, port)) continue;
    return fail(ErrorCode::kIo, fmt::format("cannot listen on {}:{}", listen.host, port),
                "another program listens there, perhaps another fairlead",
                fmt::format("stop it (ss -ltnp shows it), or choose another listen.{}", key));
  }
  return {};
}

}  // namespace fairlead::app
