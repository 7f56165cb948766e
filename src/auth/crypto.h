// The few cryptographic primitives that PostgreSQL's authentication is made of, on OpenSSL 3's
// libcrypto. Nothing here invents anything, and nobody else in src/auth includes OpenSSL.
//
// SHA-256, HMAC and PBKDF2 fail only when memory is exhausted or libcrypto itself is broken; both
// abort. MD5 may be switched off by the machine's policy (FIPS), so it returns a Result.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fairlead::auth {

/// Overwrites memory in a way that the compiler does not optimise away.
void wipe(void* memory, size_t size) noexcept;

/// Compares in a time that depends on the lengths only, never on the contents.
bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

/// 32 bytes that must not leak: wiped when destroyed, compared in constant time. Also the plain
/// result of SHA-256, because most of those here are keys.
struct ScramKey {
  std::array<char, 32> bytes{};

  ScramKey() = default;
  ScramKey(const ScramKey&) = default;
  ScramKey& operator=(const ScramKey&) = default;
  ~ScramKey() { wipe(bytes.data(), bytes.size()); }

  std::string_view view() const noexcept { return {bytes.data(), bytes.size()}; }
  bool operator==(const ScramKey& other) const noexcept {
    return equal_in_constant_time(view(), other.view());
  }
};

/// Text that must not stay behind in memory: wiped when destroyed or moved from.
class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string_view text) : text_(text) {}
  SecretText(const SecretText&) = default;
  SecretText(SecretText&& other) noexcept : text_(other.text_) { other.clear(); }
  SecretText& operator=(const SecretText& other);
  SecretText& operator=(SecretText&& other) noexcept;
  ~SecretText() { clear(); }

  std::string_view view() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }
  void clear() noexcept;
  bool operator==(const SecretText& other) const noexcept {
    return equal_in_constant_time(text_, other.text_);
  }

 private:
  std::string text_;
};

ScramKey sha256(std::string_view data);
ScramKey hmac_sha256(std::string_view key, std::string_view data);
/// `iterations` is at least 1; the caller has bounded it, because this is what burns CPU.
ScramKey pbkdf2_sha256(std::string_view password, std::string_view salt, uint32_t iterations);
/// Lower-case hexadecimal, 32 characters.
Result<std::string> md5_hex(std::string_view data);

std::string base64_encode(std::string_view bytes);
/// Strict (RFC 4648): padded, no white space, no stray bits; so each value has one spelling.
/// Anything else is kProtocolViolation.
Result<std::string> base64_decode(std::string_view text);

}  // namespace fairlead::auth
