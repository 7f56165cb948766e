// Opens TCP connections, and listens for them.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "net/known_host.h"
#include "net/socket.h"

namespace fairlead::net {

/// What a failure says of the host (E7) depends on whose fault it is.
enum class DialFault : uint8_t {
  kRefused,  // It answers, and nobody listens there.
  kSilent,   // Nothing has answered, or the network says that there is nothing.
  kOwn,      // Nothing was asked: there is no descriptor or port left here, or no known address.
};
struct DialError {
  Error error;
  DialFault fault = DialFault::kOwn;
};
/// Connects to `host` (a name or an address) and `port` within `timeout`. Tries every address of
/// the name in turn, each for its share of the time that is left. Suspends in any case, so that
/// nobody who spawns it is called back before the spawning is over. Errors are kConnectionFailure
/// and say host, port and the system's reason.
Task<std::expected<Socket, DialError>> dial(Loop& loop, std::string host, uint16_t port,
                                            Duration timeout);

/// The part of it behind the look-up: to the first of `addresses`, one at least, that answers. The
/// error is the system's of the last one, ETIMEDOUT when that did not answer.
Task<std::expected<Socket, int>> connect_any(Loop& loop, Addresses addresses, uint16_t port,
                                             Time until);

/// A port that is listened on.
class Acceptor {
 public:
  explicit Acceptor(Socket socket) : socket_(std::move(socket)) {}

  /// The next client, who is waited for. The error is the system's, ECANCELED after close(): only
  /// what has become of one client, if it says nothing of missing descriptors.
  Task<std::expected<Socket, int>> accept();
  uint16_t port() const;
  void close();

 private:
  // In one turn of the loop, so that those who are served already have theirs when thousands come.
  static constexpr int kTakenMax = 16;

  Socket socket_;
  int may_take_ = 0;
};

/// Binds and listens with SO_REUSEADDR; host "*" is all IPv4 addresses, port 0 a free one. With
/// `shared`, SO_REUSEPORT lets every worker have its own acceptor on one port.
Result<Acceptor> listen(Loop& loop, const std::string& host, uint16_t port, bool shared);

}  // namespace fairlead::net
