// The words and the grammar that both sides of a SCRAM exchange share (RFC 5802 section 7).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fairlead::auth {

inline constexpr std::string_view kScramSha256 = "SCRAM-SHA-256";
inline constexpr std::string_view kScramSha256Plus = "SCRAM-SHA-256-PLUS";
/// The one channel binding type that PostgreSQL knows (RFC 5929 section 4).
inline constexpr std::string_view kBindingType = "tls-server-end-point";

/// Longest message taken from a client: PostgreSQL's own bound before OAuth. A client that is not
/// authenticated yet must not make Fairlead hold or hash more.
inline constexpr size_t kScramClientMessageBytesMax = 1024;
/// Longest message taken from a server: a salt of kScramSaltBytesMax, a nonce, and room.
inline constexpr size_t kScramServerMessageBytesMax = 4096;

/// Randomness for one nonce; 18 bytes as PostgreSQL uses. Never to be used twice.
using RawNonce = std::array<char, 18>;
/// The printable form in which a nonce travels.
std::string print_nonce(const RawNonce& nonce);

/// The hash of a TLS certificate as tls-server-end-point defines it; empty: the connection has no
/// TLS, or no binding. Towards a client it is that of Fairlead's own certificate, towards a server
/// that of the server's (F11): end to end is impossible through a proxy that ends TLS.
struct ChannelBinding {
  std::string end_point;

  bool available() const { return !end_point.empty(); }
  bool operator==(const ChannelBinding&) const = default;
};

/// Reads `a=value,b=value,…` from the front. Each call either takes one attribute with its comma or
/// fails with kProtocolViolation; nothing that was read is shown in an error.
class AttributeReader {
 public:
  explicit AttributeReader(std::string_view text) : rest_(text) {}

  /// The value of the attribute that must come next.
  Result<std::string_view> take(char name);
  /// Steps over optional extensions up to the end; RFC 5802 says to ignore those not known.
  Result<void> skip_extensions();
  std::string_view rest() const { return rest_; }
  bool finished() const { return finished_; }

 private:
  std::string_view rest_;
  bool finished_ = false;
};

/// Printable ASCII without a comma, at least one.
bool is_nonce(std::string_view text);

std::unexpected<Error> malformed_scram(std::string detail);

}  // namespace fairlead::auth
