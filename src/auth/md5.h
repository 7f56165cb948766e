// PostgreSQL's md5 authentication, both sides. Deprecated by PostgreSQL 18 and weak: whoever holds
// the stored form can log in with it. Here for servers and clients that know nothing better.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "auth/crypto.h"
#include "base/error.h"

namespace fairlead::auth {

/// Randomness that the server sends with its request; new for each login.
using Md5Salt = std::array<char, 4>;

/// The stored form, `md5` and 32 hexadecimal digits. Equivalent to the password in md5 logins.
struct Md5Secret {
  SecretText text;

  bool operator==(const Md5Secret&) const = default;

  static Result<Md5Secret> derive(std::string_view password, std::string_view user);
};

/// True for exactly the form that PostgreSQL takes for an md5 secret; all else is a password.
bool is_md5_secret(std::string_view text);

/// What a client answers to `salt`.
Result<SecretText> md5_response(const Md5Secret& secret, const Md5Salt& salt);

}  // namespace fairlead::auth
