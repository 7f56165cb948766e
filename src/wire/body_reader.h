// Reads big-endian fields from ONE complete message body.
//
// A short read makes the reader fail for good: later reads return zero or empty, so a decoder
// checks finished() once, at its end. Everything returned points into the body and lives as long as
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace fairlead::wire {

class BodyReader {
 public:
  explicit BodyReader(std::string_view body) noexcept : rest_(body) {}

  uint8_t u8() noexcept {
    const std::string_view raw = bytes(1);
    return raw.empty() ? uint8_t{0} : static_cast<uint8_t>(raw[0]);
  }
  uint16_t u16() noexcept {
    const std::string_view raw = bytes(2);
    return raw.empty() ? uint16_t{0} : load_u16(raw.data());
  }
  uint32_t u32() noexcept {
    const std::string_view raw = bytes(4);
    return raw.empty() ? 0 : load_u32(raw.data());
  }
  int32_t i32() noexcept { return static_cast<int32_t>(u32()); }
  int16_t i16() noexcept { return static_cast<int16_t>(u16()); }

  std::string_view bytes(size_t count) noexcept {
    if (!ok_ || count > rest_.size()) return fail();
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  /// Without its terminating zero, which must be there.
  std::string_view c_string() noexcept {
    const size_t end = rest_.find('\0');
    if (!ok_ || end == std::string_view::npos) return fail();
    const std::string_view taken = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return taken;
  }

  /// All that is left, which may be nothing.
  std::string_view rest() noexcept { return bytes(ok_ ? rest_.size() : 0); }

  size_t remaining() const noexcept { return ok_ ? rest_.size() : 0; }
  bool ok() const noexcept { return ok_; }
  bool finished() const noexcept { return ok_ && rest_.empty(); }

 private:
  std::string_view fail() noexcept {
    ok_ = false;
    return {};
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace fairlead::wire
