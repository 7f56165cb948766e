// Free TCP ports from the system, held until a server takes them.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "cluster/fd.h"

namespace fairlead::cluster {

/// A port that nobody else gets while this lives. The socket is bound with SO_REUSEADDR and never
/// listens, so a server that sets SO_REUSEADDR too (PostgreSQL and ours do) can take the port while
/// it is reserved: on Linux only a second listener is refused.
class PortReservation {
 public:
  /// `port` 0: any free one.
  static Result<PortReservation> make(const std::string& host, uint16_t port);
  uint16_t port() const { return port_; }
  int fd() const { return socket_.get(); }

 private:
  PortReservation(Fd socket, uint16_t port) : socket_(std::move(socket)), port_(port) {}
  Fd socket_;
  uint16_t port_;
};

}  // namespace fairlead::cluster
