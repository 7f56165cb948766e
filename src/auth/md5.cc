#include "auth/md5.h"

#include <algorithm>

namespace fairlead::auth {
namespace {

constexpr std::string_view kPrefix = "md5";
constexpr size_t kSecretBytes = 35;

Result<SecretText> prefixed_md5(std::string_view first, std::string_view second) {
  std::string data;
  data.reserve(first.size() + second.size());  // One block of memory, so that one wipe is enough.
  data.append(first).append(second);
  Result<std::string> hex = md5_hex(data);
  wipe(data.data(), data.size());
  if (!hex) return std::unexpected(hex.error());
  hex->insert(0, kPrefix);
  SecretText result(*hex);
  wipe(hex->data(), hex->size());
  return result;
}

}  // namespace

Result<Md5Secret> Md5Secret::derive(std::string_view password, std::string_view user) {
  Result<SecretText> text = prefixed_md5(password, user);
  if (!text) return std::unexpected(text.error());
  return Md5Secret{std::move(*text)};
}

bool is_md5_secret(std::string_view text) {
  return text.size() == kSecretBytes && text.starts_with(kPrefix) &&
         std::ranges::all_of(text.substr(kPrefix.size()), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<SecretText> md5_response(const Md5Secret& secret, const Md5Salt& salt) {
  if (!is_md5_secret(secret.text.view()))
    return fail(ErrorCode::kInvalidParameterValue, "malformed md5 secret");
  return prefixed_md5(secret.text.view().substr(kPrefix.size()), {salt.data(), salt.size()});
}

}  // namespace fairlead::auth
