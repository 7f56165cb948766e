#include "app/free_ports.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "cluster/fd.h"

namespace fairlead::app {

namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

struct Refusal {
  std::string why;
  std::string what_to_do;
};

Refusal refusal_of(int error, std::string_view key) {
  switch (error) {
    case EADDRINUSE:
      return {"another program listens there, perhaps another fairlead",
              fmt::format("stop it (ss -ltnp shows it), or choose another listen.{}", key)};
    case EADDRNOTAVAIL:
      return {"this machine has no such address",
              "set listen.host to an address of this machine, or to \"0.0.0.0\" for all of them"};
    case EACCES:
      return {"the system lets only root listen below port 1024",
              fmt::format("choose a higher listen.{}", key)};
    default:
      return {std::strerror(error), "check listen.host"};
  }
}

/// Nothing: the first address of the host, which is the one that the proxy takes, can be bound.
std::optional<Refusal> try_to_bind(const std::string& host, uint16_t port, std::string_view key) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int unknown = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  const Addresses addresses(found, freeaddrinfo);
  if (unknown != 0) return Refusal{gai_strerror(unknown), "check the spelling of listen.host"};
  const cluster::Fd socket(
      ::socket(addresses->ai_family, addresses->ai_socktype | SOCK_CLOEXEC, 0));
  // Without SO_REUSEPORT; what is only left over from closed connections takes nobody's place.
  const int on = 1;
  if (!socket || setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(socket.get(), addresses->ai_addr, addresses->ai_addrlen) != 0)
    return refusal_of(errno, key);
  return std::nullopt;
}

}  // namespace

Result<void> check_ports_are_free(const config::Listen& listen) {
  const std::array<std::pair<std::string_view, uint16_t>, 3> ports{
      {{"port", listen.port},
       {"read_port", listen.read_port},
       {"primary_port", listen.primary_port}}};
  for (const auto& [key, port] : ports) {
    auto refusal = try_to_bind(listen.host, port, key);
    if (!refusal) continue;
    return fail(ErrorCode::kIo, fmt::format("cannot listen on {}:{}", listen.host, port),
                std::move(refusal->why), std::move(refusal->what_to_do));
  }
  return {};
}

}  // namespace fairlead::app
