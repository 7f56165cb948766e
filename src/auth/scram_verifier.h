// What a SCRAM-SHA-256 login is checked against and made with: verifiers and keys (RFC 5802 section
// 3, RFC 7677). Pure arithmetic; the messages are in scram_server.h and scram_client.h.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/crypto.h"
#include "base/error.h"

namespace fairlead::auth {

/// PostgreSQL's default; used for derived and for mock verifiers, so that all look alike.
inline constexpr uint32_t kScramIterationsDefault = 4096;
/// The most iterations that Fairlead computes because a server asks for them: about half a second
/// of one core. Beyond it a hostile server could stop a worker (and all its clients) for minutes.
inline constexpr uint32_t kScramIterationsMax = 1'000'000;
/// Bytes of a salt, decoded. PostgreSQL makes 16; the bound keeps messages small.
inline constexpr size_t kScramSaltBytesMax = 1024;
inline constexpr size_t kScramSaltBytes = 16;
/// The secret from which mock salts are derived; mock_key.h says where it comes from.
using MockKey = std::array<char, 32>;

/// The form in which a server keeps a password: proves, but cannot be used to log in with.
struct ScramVerifier {
  uint32_t iterations = kScramIterationsDefault;
  std::string salt;  // Raw bytes.
  ScramKey stored_key;
  ScramKey server_key;

  bool operator==(const ScramVerifier&) const = default;

  /// Reads `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, as in
  /// pg_authid.rolpassword. An error never shows the text.
  static Result<ScramVerifier> parse(std::string_view text);
  std::string to_string() const;

  /// Runs PBKDF2: milliseconds of CPU with the default iterations. Applies SASLprep.
  static ScramVerifier derive(std::string_view password, std::string salt, uint32_t iterations);
};

/// What a client's proof reveals, and what logs in to a server that holds the identical verifier
/// (F10). Salt and iterations are kept to tell "identical" from "different" beforehand.
struct ScramLoginKeys {
  ScramKey client_key;
  ScramKey server_key;  // To verify the server's signature with.
  std::string salt;
  uint32_t iterations = 0;

  bool operator==(const ScramLoginKeys&) const = default;

  /// As derive(): runs PBKDF2, applies SASLprep.
  static ScramLoginKeys derive(std::string_view password, std::string salt, uint32_t iterations);
};

/// The salt that `user` appears to have when it has none (F12): always the same for one key.
std::string mock_salt(const MockKey& key, std::string_view user);

/// StoredKey of a ClientKey.
ScramKey stored_key_of(const ScramKey& client_key);
/// ClientProof from ClientKey and ClientSignature, or ClientKey from the other two (F10).
ScramKey exclusive_or(const ScramKey& a, const ScramKey& b);

}  // namespace fairlead::auth
