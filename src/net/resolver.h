// Looks up names in DNS, so that one that nobody answers for delays nobody but those who want it.
//
// The system's getaddrinfo() blocks for as long as its own timeouts say, often half a minute, and
// nothing ends it before. So each name is looked up by a thread of its own, one at a time, which
// nobody joins: who waits leaves when its time is over, and the process may end meanwhile. What is
// remembered of a name stands in known_host.h.
//
// Any thread; a coroutine that waits runs on its own loop.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "net/known_host.h"
#include "net/loop.h"

namespace fairlead::net {

/// Asks the system for the addresses of `host`: /etc/hosts, DNS and whatever else it is told to
/// ask. Blocks, often for half a minute. Any thread.
LookedUp look_up(const std::string& host);

class Resolver {
 public:
  /// Blocks for as long as it takes, on a thread of its own, perhaps longer than the resolver
  /// lives.
  using LookUp = std::function<LookedUp(const std::string& host)>;

  explicit Resolver(LookUp look_up);

  /// The addresses of `host`, a name or an address itself, which is not looked up. Ends within
  /// `timeout`. The error is why there are none, in words.
  Task<std::expected<Addresses, std::string>> resolve(Loop& loop, std::string host,
                                                      Duration timeout);

  /// The one of this process, which asks the system.
  static Resolver& of_system();

 private:
  class Names;
  class Waiter;

  std::shared_ptr<Names> names_;
};

}  // namespace fairlead::net
