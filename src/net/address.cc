#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>

#include "base/assert.h"

namespace fairlead::net {
namespace {

// The port has the same place in both families.
static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));

using AskName = int (*)(int, sockaddr*, socklen_t*);

std::optional<Address> asked(AskName ask, int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  if (ask(fd, address, &size) != 0) return std::nullopt;
  return Address(address, size);
}

}  // namespace

Address::Address(const sockaddr* address, socklen_t size) : size_(size) {
  require(size <= sizeof storage_, "an address of TCP fits where any address does");
  std::memcpy(&storage_, address, size);
}

std::optional<Address> Address::parse(const std::string& text) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* list = nullptr;
  if (::getaddrinfo(text.c_str(), nullptr, &hints, &list) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, decltype([](addrinfo* all) { ::freeaddrinfo(all); })> owned(list);
  return Address(list->ai_addr, list->ai_addrlen);
}

std::optional<Address> Address::local(int fd) {
  return asked(
      [](int of, sockaddr* into, socklen_t* size) { return ::getsockname(of, into, size); }, fd);
}

std::optional<Address> Address::peer(int fd) {
  return asked(
      [](int of, sockaddr* into, socklen_t* size) { return ::getpeername(of, into, size); }, fd);
}

uint16_t Address::port() const {
  return ntohs(reinterpret_cast<const sockaddr_in&>(storage_).sin_port);
}

void Address::set_port(uint16_t port) {
  reinterpret_cast<sockaddr_in&>(storage_).sin_port = htons(port);
}

const sockaddr* Address::data() const { return reinterpret_cast<const sockaddr*>(&storage_); }

std::string Address::host() const {
  std::array<char, NI_MAXHOST> text{};
  ::getnameinfo(data(), size_, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return text.data();
}

}  // namespace fairlead::net
