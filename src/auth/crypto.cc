#include "auth/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <climits>

#include "base/assert.h"

namespace fairlead::auth {
namespace {

constexpr std::string_view kBase64Alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const unsigned char* bytes_of(std::string_view text) {
  // OpenSSL takes a null pointer for "not given", and an empty view may hold one.
  return reinterpret_cast<const unsigned char*>(text.empty() ? "" : text.data());
}

unsigned char* bytes_of(ScramKey& key) {
  return reinterpret_cast<unsigned char*>(key.bytes.data());
}

int length_of(std::string_view text) {
  require(text.size() <= INT_MAX, "input of a cryptographic function is bounded by its caller");
  return static_cast<int>(text.size());
}

}  // namespace

void wipe(void* memory, size_t size) noexcept { OPENSSL_cleanse(memory, size); }

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(bytes_of(a), bytes_of(b), a.size()) == 0;
}

SecretText& SecretText::operator=(const SecretText& other) {
  if (this == &other) return *this;
  clear();
  text_ = other.text_;
  return *this;
}

SecretText& SecretText::operator=(SecretText&& other) noexcept {
  if (this == &other) return *this;
  clear();
  text_.swap(other.text_);
  return *this;
}

void SecretText::clear() noexcept {
  // Up to capacity: a moved or shortened string leaves its old bytes behind its end.
  text_.resize(text_.capacity());
  wipe(text_.data(), text_.size());
  text_.clear();
}

ScramKey sha256(std::string_view data) {
  ScramKey result;
  require(EVP_Digest(bytes_of(data), data.size(), bytes_of(result), nullptr, EVP_sha256(),
                     nullptr) == 1,
          "libcrypto computes SHA-256");
  return result;
}

ScramKey hmac_sha256(std::string_view key, std::string_view data) {
  ScramKey result;
  require(HMAC(EVP_sha256(), bytes_of(key), length_of(key), bytes_of(data), data.size(),
               bytes_of(result), nullptr) != nullptr,
          "libcrypto computes HMAC-SHA-256");
  return result;
}

ScramKey pbkdf2_sha256(std::string_view password, std::string_view salt, uint32_t iterations) {
  require(iterations >= 1 && iterations <= INT_MAX, "the iteration count is bounded by the caller");
  ScramKey result;
  require(
      PKCS5_PBKDF2_HMAC(password.empty() ? "" : password.data(), length_of(password),
                        bytes_of(salt), length_of(salt), static_cast<int>(iterations), EVP_sha256(),
                        static_cast<int>(result.bytes.size()), bytes_of(result)) == 1,
      "libcrypto computes PBKDF2");
  return result;
}

Result<std::string> md5_hex(std::string_view data) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes_of(data), data.size(), digest, &size, EVP_md5(), nullptr) != 1) {
    return fail(ErrorCode::kFeatureNotSupported, "MD5 is not available on this machine",
                "OpenSSL refuses it, as it does in FIPS mode", "Use scram-sha-256 instead of md5.");
  }
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string text;
  text.reserve(size_t{size} * 2);
  for (unsigned int i = 0; i < size; ++i) {
    text.push_back(kHexDigits[digest[i] >> 4]);
    text.push_back(kHexDigits[digest[i] & 15]);
  }
  return text;
}

std::string base64_encode(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // One more: OpenSSL terminates it.
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes),
                                   length_of(bytes));
  text.resize(static_cast<size_t>(size));
  return text;
}

Result<std::string> base64_decode(std::string_view text) {
  // Not EVP_DecodeBlock: it skips white space and does not tell padding from zero bytes.
  const auto malformed = [] {
    return fail(ErrorCode::kProtocolViolation, "malformed base64 value");
  };
  if (text.size() % 4 != 0) return malformed();
  const size_t length = text.find_last_not_of('=') + 1;  // npos + 1 is 0.
  if (text.size() - length > 2) return malformed();

  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : text.substr(0, length)) {
    const size_t value = kBase64Alphabet.find(c);
    if (value == std::string_view::npos) return malformed();
    bits = (bits << 6 | static_cast<uint32_t>(value)) & 0xFFFF;
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      bytes.push_back(static_cast<char>(bits >> bit_count));
    }
  }
  if ((bits & ((1U << bit_count) - 1)) != 0) return malformed();
  return bytes;
}

}  // namespace fairlead::auth
