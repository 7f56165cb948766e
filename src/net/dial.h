// Opens TCP connections, and listens for them.
#pragma once

#include <cstdint>
#include <string>

#include "net/stream.h"

namespace fairlead::net {

/// Connects to `host` (a name or an address) and `port` within `timeout`. Tries every address of
/// the name in turn. Errors are kConnectionFailure and say host, port and the system's reason;
/// `refused` tells a closed port (E7).
struct DialError {
  Error error;
  bool refused = false;
};
Task<std::expected<TcpSocket, DialError>> dial(Loop& loop, std::string host, uint16_t port,
                                               Duration timeout);

/// Binds and listens with SO_REUSEADDR; port 0 takes a free one (see local_port). With `shared`,
/// SO_REUSEPORT lets every worker have its own acceptor on one port.
Result<TcpAcceptor> listen(Loop& loop, const std::string& host, uint16_t port, bool shared);
uint16_t local_port(const TcpAcceptor& acceptor);

}  // namespace fairlead::net
