// A position in PostgreSQL's write-ahead log.
//
// Compared as an unsigned 64-bit number, never as text (D26). Positions of different timelines must
// not be compared with each other without the timeline history (D20): that is the caller's
// business.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead {

struct Lsn {
  uint64_t value = 0;  // 0 is PostgreSQL's InvalidXLogRecPtr: "no position".

  auto operator<=>(const Lsn&) const = default;
  explicit operator bool() const { return value != 0; }

  /// Reads PostgreSQL's text form "16/B374D848". Anything else is nullopt.
  static std::optional<Lsn> parse(std::string_view text);
  std::string to_string() const;
};

}  // namespace fairlead
