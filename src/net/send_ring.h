// Sends on many sockets by one system call (io_uring).
//
// One after the other they cost a system call each, and whoever is woken by the first takes the
// processor from those that are still to be sent (docs/decisions/0012).
#pragma once

#include <cerrno>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/error.h"

struct io_uring;

namespace fairlead::net {

/// On one thread: the one that opens it.
class SendRing {
 public:
  struct Send {
    int fd;  // Of a socket; no two sends of a call have the same.
    std::string_view bytes;
    /// Bytes that the socket has taken, or -errno as of send(2). As it is here where nothing was
    /// tried: whoever is told so waits until the socket takes more, and tries again.
    int result = -EAGAIN;
  };

  /// kIo where the system has none for us: Linux before 6.1, kernel.io_uring_disabled, a
  /// container's rules for system calls.
  static Result<std::unique_ptr<SendRing>> open();

  /// Never blocks and raises no signal. kIo: the ring is of no use any more; each `result` is true
  /// all the same.
  Result<void> send(std::span<Send> sends);

 private:
  // Entries of 64 bytes in memory that the kernel shares. More sends than that take another system
  // call.
  static constexpr unsigned kSendsAtOnce = 128;

  struct Close {
    void operator()(::io_uring* ring) const;
  };

  explicit SendRing(std::unique_ptr<::io_uring, Close> ring) : ring_(std::move(ring)) {}
  Result<void> send_at_once(std::span<Send> sends);
  size_t collect(std::span<Send> sends);

  std::unique_ptr<::io_uring, Close> ring_;
};

}  // namespace fairlead::net
