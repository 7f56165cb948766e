// Reading and writing sizes, spans of time and node addresses.
#include "config/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

#include "base/ascii.h"

namespace fairlead::config {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

// Ascending: the first of two names with one factor is the one that is printed.
constexpr std::array kDurationUnits{Unit{"us", 1},
                                    Unit{"ms", 1000},
                                    Unit{"s", 1'000'000},
                                    Unit{"min", 60'000'000},
                                    Unit{"m", 60'000'000},
                                    Unit{"h", 3'600'000'000},
                                    Unit{"d", 86'400'000'000}};
constexpr std::array kByteUnits{Unit{"B", 1}, Unit{"KiB", uint64_t{1} << 10},
                                Unit{"MiB", uint64_t{1} << 20}, Unit{"GiB", uint64_t{1} << 30}};

// A hundred years: far from overflow when it is added to a point in time.
constexpr uint64_t kDurationMax = uint64_t{100} * 366 * 86'400'000'000;
constexpr uint64_t kBytesMax = std::numeric_limits<int64_t>::max();

struct UnitGrammar {
  std::span<const Unit> units;
  uint64_t max;
  std::string_view what;   // "a duration"
  std::string_view usage;  // The units and an example.
};

Result<uint64_t> parse_with_unit(std::string_view text, const UnitGrammar& grammar) {
  const auto bad = [&](std::string_view why) {
    return fail(ErrorCode::kConfig, fmt::format("\"{}\" is not {}: {}", text, grammar.what, why),
                {}, std::string(grammar.usage));
  };
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0) return bad("it must begin with a whole number");
  const std::string_view unit_name = text.substr(digits);
  if (unit_name.empty()) return bad("the unit is missing");
  const auto unit = std::ranges::find(grammar.units, unit_name, &Unit::name);
  if (unit == grammar.units.end()) return bad(fmt::format("\"{}\" is not a unit", unit_name));
  const auto number = parse_number(text.substr(0, digits), grammar.max / unit->factor);
  if (!number) return bad("it is too large");
  return *number * unit->factor;
}

std::string print_with_unit(uint64_t value, std::span<const Unit> units, std::string_view zero) {
  if (value == 0) return std::string(zero);
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (value % unit.factor == 0 && unit.factor > best->factor) best = &unit;
  }
  return fmt::format("{}{}", value / best->factor, best->name);
}

std::unexpected<Error> bad_address(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kConfig, fmt::format("\"{}\" is not the address of a node: {}", text, why),
              {}, "write host:port, such as \"db1:5432\", \"10.0.0.1:5432\" or \"[::1]:5432\"");
}

}  // namespace

std::optional<uint64_t> parse_number(std::string_view text, uint64_t max) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number > max) return std::nullopt;
  return number;
}

Result<Bytes> Bytes::parse(std::string_view text) {
  const auto count =
      parse_with_unit(text, {kByteUnits, kBytesMax, "a size",
                             "write a whole number and B, KiB, MiB or GiB, such as \"64MiB\""});
  if (!count) return std::unexpected(count.error());
  return Bytes{*count};
}

std::string Bytes::to_string() const { return print_with_unit(count, kByteUnits, "0B"); }

Result<Duration> parse_duration(std::string_view text) {
  const auto us =
      parse_with_unit(text, {kDurationUnits, kDurationMax, "a duration",
                             "write a whole number and us, ms, s, min, h or d, such as \"5s\""});
  if (!us) return std::unexpected(us.error());
  return Duration(static_cast<int64_t>(*us));
}

std::string to_string(Duration value) {
  return print_with_unit(static_cast<uint64_t>(value.count()), kDurationUnits, "0s");
}

bool is_host(std::string_view host) {
  if (host.empty() || (host.contains('%') && !host.contains(':'))) return false;
  return std::ranges::all_of(host, [](char c) {
    return is_letter_or_digit(c) || std::string_view(".-_:%").find(c) != std::string_view::npos;
  });
}

Result<NodeAddress> NodeAddress::parse(std::string_view text) {
  if (text.starts_with('/')) return bad_address(text, "Unix sockets are not supported");
  std::string_view host = text;
  std::string_view port_text;
  bool has_port = false;
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return bad_address(text, "the closing ] is missing");
    host = text.substr(1, close - 1);
    port_text = text.substr(close + 1);
    has_port = !port_text.empty();
    if (has_port && port_text.front() != ':') {
      return bad_address(text, "after ] only :port may follow");
    }
    if (has_port) port_text.remove_prefix(1);
  } else if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port_text = text.substr(colon + 1);
    has_port = true;
    if (port_text.contains(':')) {
      return bad_address(text, "an IPv6 address stands in brackets");
    }
  }
  if (host.empty()) return bad_address(text, "the host is missing");
  if (bracketed && !host.contains(':')) return bad_address(text, "[ ] is for IPv6 addresses only");
  if (!is_host(host)) {
    return bad_address(text, "the host has a character that no host name has");
  }
  if (!has_port) return NodeAddress{std::string(host), 5432};
  const auto port = parse_number(port_text, 65535);
  if (!port || *port == 0) return bad_address(text, "the port is not a number from 1 to 65535");
  return NodeAddress{std::string(host), static_cast<uint16_t>(*port)};
}

std::string NodeAddress::to_string() const {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

bool is_loopback(std::string_view host) {
  // A name that begins like an address, 127.example.com, is anybody's.
  const bool is_address = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host == "::1" || (is_address && host.starts_with("127."));
}

}  // namespace fairlead::config
