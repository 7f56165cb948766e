// Where the salts of users who do not exist come from (F12): a key that is the same at every start
// and for every Fairlead with the same users, and that no client can guess.
//
// A salt is told to everybody who asks. One that changes, while those of verifiers stay, tells that
// its user has none. PostgreSQL makes its key once for each cluster and keeps it in pg_control.
// Fairlead writes no files, so its key is a file of the operator's, or comes from the secrets of
// the users themselves.
#pragma once

#include <cstdint>
#include <string_view>

#include "auth/scram_verifier.h"
#include "auth/users_file.h"

namespace fairlead::auth {

/// As long as what is made from it.
inline constexpr size_t kMockKeyFileBytesMin = 32;

/// Of the content of a file of random bytes.
MockKey mock_key_of(std::string_view random_bytes);

/// Of what is known of all users together. A salt that depends on secrets is something to try
/// guesses on without asking anybody, for one who guesses all of them at once; where there is one
/// user with a weak password, that is one guess. So this is as slow as a stored hash of a password
/// has to be: some tenths of a second. Changes with the users, which a key of random bytes does
/// not.
MockKey mock_key_of(const UsersFile& users);

/// OWASP's number for PBKDF2 with HMAC-SHA-256.
inline constexpr uint32_t kMockKeyIterations = 600'000;

}  // namespace fairlead::auth
