// Where a TCP connection leads to: an IPv4 or IPv6 address and a port.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

namespace fairlead::net {

class Address {
 public:
  /// Of a name that the system has looked up: as getaddrinfo() gives it, which is never longer than
  /// this has room for.
  Address(const sockaddr* address, socklen_t size);

  /// Of `text` that is an address itself, in any form that the look-up of names takes for one.
  /// nullopt: it is none. Asks nobody.
  static std::optional<Address> parse(const std::string& text);
  /// Of our own end, or the peer's. nullopt: the connection has none any more.
  static std::optional<Address> local(int fd);
  static std::optional<Address> peer(int fd);

  uint16_t port() const;
  void set_port(uint16_t port);
  /// AF_INET or AF_INET6.
  int family() const { return storage_.ss_family; }
  /// The address in numbers, without the port.
  std::string host() const;

  const sockaddr* data() const;
  socklen_t size() const { return size_; }

  bool operator==(const Address& other) const {
    return host() == other.host() && port() == other.port();
  }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace fairlead::net
