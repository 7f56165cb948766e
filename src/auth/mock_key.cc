#include "auth/mock_key.h"

#include <algorithm>
#include <string>
#include <variant>

#include "auth/crypto.h"
#include "base/bytes.h"

namespace fairlead::auth {
namespace {

constexpr std::string_view kPurpose = "fairlead mock key";

MockKey to_mock_key(const ScramKey& bytes) {
  MockKey key;
  std::ranges::copy(bytes.bytes, key.begin());
  return key;
}

/// With its length, so that no two lists of users are the same bytes.
void append_text(std::string& out, std::string_view text) {
  append_u32(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

struct SecretWriter {
  std::string& out;

  void operator()(const NoPassword&) const { append_text(out, {}); }
  void operator()(const PlainPassword& plain) const { append_text(out, plain.text.view()); }
  void operator()(const Md5Secret& md5) const { append_text(out, md5.text.view()); }
  void operator()(const ScramVerifier& verifier) const { append_text(out, verifier.to_string()); }
};

}  // namespace

MockKey mock_key_of(std::string_view random_bytes) {
  return to_mock_key(hmac_sha256(kPurpose, random_bytes));
}

MockKey mock_key_of(const UsersFile& users) {
  if (users.size() == 0) return {};  // All are unknown: there is nothing to tell them from.
  std::string all;
  for (const auto& [name, secret] : users.users()) {
    append_text(all, name);
    std::visit(SecretWriter{all}, secret);
  }
  const ScramKey digest = sha256(all);
  wipe(all.data(), all.size());
  return to_mock_key(pbkdf2_sha256(digest.view(), kPurpose, kMockKeyIterations));
}

}  // namespace fairlead::auth
