#include "auth/saslprep.h"

#include <stringprep.h>

#include <algorithm>
#include <vector>

namespace fairlead::auth {
namespace {

// The most that NFKC lengthens a character in UTF-8: U+FDFA, from 3 bytes to 33.
constexpr size_t kGrowthMax = 11;

}  // namespace

SecretText saslprep(std::string_view password) {
  const bool plain_ascii =
      std::ranges::all_of(password, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (plain_ascii || password.size() > kPasswordBytesMax) return SecretText(password);
  if (password.find('\0') != std::string_view::npos) return SecretText(password);

  std::vector<char> buffer(password.size() * kGrowthMax + 1, '\0');
  std::ranges::copy(password, buffer.begin());
  const int outcome =
      stringprep(buffer.data(), buffer.size(), STRINGPREP_NO_UNASSIGNED, stringprep_saslprep);
  const std::string_view prepared(buffer.data());
  const bool usable = outcome == STRINGPREP_OK && !prepared.empty();
  SecretText result(usable ? prepared : password);
  wipe(buffer.data(), buffer.size());
  return result;
}

}  // namespace fairlead::auth
