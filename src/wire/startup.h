// What a connection may begin with: a StartupMessage, or one of the requests that come in its
// place.
//
// These packets have no type byte: a length (counting itself), then a code. Decoding only; what to
// answer, in which order requests may come, and TLS are the session's business (F1-F5). Direct TLS
// (F3) is told by its first byte, kTlsHandshakeByte, before startup_length() is asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "wire/limits.h"

namespace fairlead::wire {

inline constexpr char kTlsHandshakeByte = 0x16;

inline constexpr uint16_t kProtocolMajor = 3;
/// 3.1 was never released and stays reserved, because proxies used to accept it silently (F1).
inline constexpr uint16_t kReservedMinor = 1;
/// The newest minor version that this code can speak.
inline constexpr uint16_t kNewestMinor = 2;

struct Parameter {
  std::string_view name = {};
  std::string_view value = {};

  bool operator==(const Parameter&) const = default;
};

struct SslRequest {
  bool operator==(const SslRequest&) const = default;
};
struct GssEncRequest {
  bool operator==(const GssEncRequest&) const = default;
};

struct CancelRequest {
  uint32_t pid = 0;
  std::string_view secret = {};  // 4 to 256 bytes (F2). Compare in constant time (F40).

  bool operator==(const CancelRequest&) const = default;
};

enum class Replication : uint8_t {
  kNone,
  kPhysical,  // replication=true and its spellings: not connected to a database.
  kLogical,   // replication=database
};

/// Views point into the packet and die with it. `user` was checked: it is there and not empty (F4).
struct StartupMessage {
  uint16_t major = kProtocolMajor;
  uint16_t minor = 0;
  std::vector<Parameter> parameters = {};        // All but _pq_. options, in the client's order.
  std::vector<Parameter> protocol_options = {};  // Those named "_pq_.…", to be negotiated (F1).

  /// The value of the last parameter of that exact name, as PostgreSQL takes it.
  std::optional<std::string_view> find(std::string_view name) const;
  std::string_view user() const;
  /// Defaults to user(), as F4 says.
  std::string_view database() const;
  /// The command-line options, for parse_options(). Empty if there are none.
  std::string_view options() const;
  /// Any client that asks for replication must be told apart before it reaches a pool (F4, F5).
  /// Error: kInvalidParameterValue.
  Result<Replication> replication() const;

  bool operator==(const StartupMessage&) const = default;
};

using StartupPacket = std::variant<SslRequest, GssEncRequest, CancelRequest, StartupMessage>;

/// How many bytes the packet at the front of `bytes` has, its length field included; nullopt while
/// that cannot be told. Error: a length that no start-up packet has (F4).
Result<std::optional<size_t>> startup_length(std::string_view bytes);

/// Decodes what follows the length. Errors carry the code and text that PostgreSQL itself would
/// give: kFeatureNotSupported for a major version other than 3, kInvalidAuthorization without a
/// Whether it is a CancelRequest, well-formed or not: nobody is told anything about one (F40).
bool is_cancel_request(std::string_view body_after_length);

/// user, kProtocolViolation for anything malformed.
Result<StartupPacket> decode_startup(std::string_view body_after_length);

void append_startup_message(std::string& out, uint16_t minor,
                            std::span<const Parameter> parameters);
void append_ssl_request(std::string& out);
void append_cancel_request(std::string& out, uint32_t pid, std::string_view secret);

}  // namespace fairlead::wire
