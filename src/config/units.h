// The small types that configuration values have: sizes, spans of time, secrets, addresses.
//
// Text forms carry their unit ("5s", "64MiB"): a bare number would be a guess, so it is an error
// that says which units there are. to_string() writes the form that parse reads back.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace fairlead::config {

/// A size in bytes. A type of its own so that it is not swapped with a count.
struct Bytes {
  uint64_t count = 0;
  auto operator<=>(const Bytes&) const = default;

  /// "0B", "512B", "64KiB", "16MiB", "1GiB". Only powers of 1024, and only with the name that says
  /// so: "64MB" means two different things to two readers.
  static Result<Bytes> parse(std::string_view text);
  std::string to_string() const;
};

/// A password or key. Whatever prints a configuration prints it masked.
struct Secret {
  std::string text;
  bool operator==(const Secret&) const = default;
};

/// Whether it can be the host of an address: a name or an address, one of IPv6 without brackets and
/// perhaps with a scope. A host is copied into messages, logs and SQL settings, so it has nothing
/// that could break out of them.
bool is_host(std::string_view host);

/// Where a PostgreSQL node listens. Unix sockets are not nodes: a cluster spans machines.
struct NodeAddress {
  std::string host;  // A name or an address; an IPv6 address without its brackets.
  uint16_t port = 5432;
  auto operator<=>(const NodeAddress&) const = default;

  /// "db1:5432", "db1" (port 5432), "10.0.0.1:5432", "[::1]:5432", "[::1]".
  static Result<NodeAddress> parse(std::string_view text);
  /// Always with the port; an IPv6 address in brackets.
  std::string to_string() const;
};

/// Whether `host` is this machine and nothing else: "localhost", an address of 127.0.0.0/8, "::1".
bool is_loopback(std::string_view host);

/// "250us", "100ms", "5s", "10min" (or "10m"), "1h", "7d", "0s". Whole numbers only.
Result<Duration> parse_duration(std::string_view text);

/// The largest unit that divides the value: "90s", "10min", "1500us".
std::string to_string(Duration value);

/// A decimal number without sign, spaces or separators, from 0 to `max`; else nullopt.
std::optional<uint64_t> parse_number(std::string_view text, uint64_t max);

}  // namespace fairlead::config
