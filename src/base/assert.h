// Assertions that stay on in release builds. They guard against our own bugs only: no input from a
// client, a server, a file or the network may be able to reach one.
#pragma once

#include <source_location>
#include <string_view>

namespace fairlead {

/// Prints what was assumed and where, then aborts.
[[noreturn]] void assertion_failed(std::string_view what, std::source_location where);

/// Aborts with `what` when `condition` is false.
inline void require(bool condition, std::string_view what,
                    std::source_location where = std::source_location::current()) {
  if (!condition) [[unlikely]]
    assertion_failed(what, where);
}

[[noreturn]] inline void unreachable(std::string_view what,
                                     std::source_location where = std::source_location::current()) {
  assertion_failed(what, where);
}

}  // namespace fairlead
