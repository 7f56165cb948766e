// PgBouncer's userlist.txt: one user per line, `"name" "secret"`.
//
//   "app"  "SCRAM-SHA-256$4096:…"   ; a verifier, an md5 secret or a plain password
//   "o""neill" "pass""word"         ; two quotes stand for one
//
// Read as PgBouncer reads it: lines that begin with `;` are comments, and further quoted fields
// (of the old pg_auth file) are ignored. Beyond that, `#` begins a comment too, and a comment may
// follow on the same line. Stricter in what would otherwise fail without a word: a name twice, an
// unescaped quote inside a secret, a field over two lines and a damaged verifier are errors.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "auth/secret.h"
#include "base/error.h"

namespace fairlead::auth {

/// Above any real file: kUsersMax verifiers take about 40 MB. It is parsed in memory, at once.
inline constexpr size_t kUsersFileBytesMax = size_t{64} << 20;
inline constexpr size_t kUsersMax = 250'000;
/// PostgreSQL cuts names at 63 bytes; PgBouncer takes 127.
inline constexpr size_t kUserNameBytesMax = 127;

class UsersFile {
 public:
  /// Null: no such user. The pointer lives as long as this object.
  const Secret* find(std::string_view user) const;
  size_t size() const { return users_.size(); }
  const std::map<std::string, Secret, std::less<>>& users() const { return users_; }

 private:
  friend Result<UsersFile> parse_users_file(std::string_view text);

  std::map<std::string, Secret, std::less<>> users_;
};

/// kConfig with line and column (in bytes, from 1), and never with a part of a secret.
Result<UsersFile> parse_users_file(std::string_view text);

}  // namespace fairlead::auth
