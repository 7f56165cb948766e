#include "auth/secret.h"

#include <fmt/format.h>

#include "auth/saslprep.h"

namespace fairlead::auth {

Result<Secret> parse_secret(std::string_view text) {
  if (text.empty()) return NoPassword{};
  if (is_md5_secret(text)) return Md5Secret{SecretText(text)};
  if (text.starts_with("SCRAM-SHA-256$")) {
    Result<ScramVerifier> verifier = ScramVerifier::parse(text);
    if (!verifier) return std::unexpected(verifier.error());
    return std::move(*verifier);
  }
  if (text.size() > kPasswordBytesMax) {
    return fail(ErrorCode::kLimitExceeded, "password too long",
                fmt::format("It has {} bytes; the limit is {}.", text.size(), kPasswordBytesMax));
  }
  // A password travels as a C string; one with a zero inside could never match.
  if (text.find('\0') != text.npos)
    return fail(ErrorCode::kInvalidParameterValue, "password with a zero byte");
  return PlainPassword{SecretText(text)};
}

}  // namespace fairlead::auth
