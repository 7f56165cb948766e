// What is stored for a user: in a users file, or in pg_authid.rolpassword.
#pragma once

#include <string_view>
#include <variant>

#include "auth/crypto.h"
#include "auth/md5.h"
#include "auth/scram_verifier.h"
#include "base/error.h"

namespace fairlead::auth {

/// The user exists and cannot log in with any password.
struct NoPassword {
  bool operator==(const NoPassword&) const = default;
};

struct PlainPassword {
  SecretText text;

  bool operator==(const PlainPassword&) const = default;
};

using Secret = std::variant<NoPassword, PlainPassword, Md5Secret, ScramVerifier>;

/// Tells the forms apart as PostgreSQL does: `md5` and 32 hexadecimal digits, `SCRAM-SHA-256$…`,
/// empty, else plain. Differs in one point: what begins like a verifier and is none is an error,
/// because a damaged verifier that counts as a password locks its user out without a word.
/// Errors never show the text.
Result<Secret> parse_secret(std::string_view text);

}  // namespace fairlead::auth
