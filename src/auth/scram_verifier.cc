#include "auth/scram_verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <climits>

#include "auth/saslprep.h"

namespace fairlead::auth {
namespace {

constexpr std::string_view kScheme = "SCRAM-SHA-256$";

/// Takes the text before `separator` and the separator itself off the front of `rest`.
bool take_until(std::string_view& rest, char separator, std::string_view& taken) {
  const size_t at = rest.find(separator);
  if (at == std::string_view::npos) return false;
  taken = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return true;
}

bool read_key(std::string_view text, ScramKey& key) {
  Result<std::string> bytes = base64_decode(text);
  if (!bytes || bytes->size() != key.bytes.size()) return false;
  std::ranges::copy(*bytes, key.bytes.begin());
  wipe(bytes->data(), bytes->size());
  return true;
}

std::unexpected<Error> malformed(std::string_view part) {
  return fail(ErrorCode::kInvalidParameterValue, "malformed SCRAM-SHA-256 verifier",
              fmt::format("{} cannot be read", part),
              "Copy the whole of pg_authid.rolpassword, from SCRAM-SHA-256$ to the last sign.");
}

}  // namespace

Result<ScramVerifier> ScramVerifier::parse(std::string_view text) {
  if (!text.starts_with(kScheme)) return malformed("the scheme");
  std::string_view rest = text.substr(kScheme.size());
  std::string_view iterations;
  std::string_view salt;
  std::string_view stored_key;
  if (!take_until(rest, ':', iterations)) return malformed("the iteration count");
  if (!take_until(rest, '$', salt)) return malformed("the salt");
  if (!take_until(rest, ':', stored_key)) return malformed("the stored key");

  ScramVerifier verifier;
  const auto [end, error] = std::from_chars(
      iterations.data(), iterations.data() + iterations.size(), verifier.iterations);
  if (error != std::errc{} || end != iterations.data() + iterations.size() ||
      verifier.iterations < 1 || verifier.iterations > INT_MAX) {
    return malformed("the iteration count");
  }
  Result<std::string> salt_bytes = base64_decode(salt);
  if (!salt_bytes || salt_bytes->empty() || salt_bytes->size() > kScramSaltBytesMax)
    return malformed("the salt");
  verifier.salt = std::move(*salt_bytes);
  if (!read_key(stored_key, verifier.stored_key)) return malformed("the stored key");
  if (!read_key(rest, verifier.server_key)) return malformed("the server key");
  return verifier;
}

std::string ScramVerifier::to_string() const {
  return fmt::format("{}{}:{}${}:{}", kScheme, iterations, base64_encode(salt),
                     base64_encode(stored_key.view()), base64_encode(server_key.view()));
}

ScramVerifier ScramVerifier::derive(std::string_view password, std::string salt,
                                    uint32_t iterations) {
  ScramLoginKeys keys = ScramLoginKeys::derive(password, std::move(salt), iterations);
  return ScramVerifier{.iterations = iterations,
                       .salt = std::move(keys.salt),
                       .stored_key = stored_key_of(keys.client_key),
                       .server_key = keys.server_key};
}

ScramLoginKeys ScramLoginKeys::derive(std::string_view password, std::string salt,
                                      uint32_t iterations) {
  const SecretText prepared = saslprep(password);
  const ScramKey salted = pbkdf2_sha256(prepared.view(), salt, iterations);
  return ScramLoginKeys{.client_key = hmac_sha256(salted.view(), "Client Key"),
                        .server_key = hmac_sha256(salted.view(), "Server Key"),
                        .salt = std::move(salt),
                        .iterations = iterations};
}

std::string mock_salt(const MockKey& key, std::string_view user) {
  const ScramKey digest = hmac_sha256({key.data(), key.size()}, fmt::format("mock salt:{}", user));
  return std::string(digest.view().substr(0, kScramSaltBytes));
}

ScramKey stored_key_of(const ScramKey& client_key) { return sha256(client_key.view()); }

ScramKey exclusive_or(const ScramKey& a, const ScramKey& b) {
  ScramKey result;
  for (size_t i = 0; i < result.bytes.size(); ++i)
    result.bytes[i] = static_cast<char>(a.bytes[i] ^ b.bytes[i]);
  return result;
}

}  // namespace fairlead::auth
