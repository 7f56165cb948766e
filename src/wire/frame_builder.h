// Appends one frame to a buffer: header first, length patched when the builder dies.
//
// The buffer must not be touched by anybody else meanwhile. Bodies are ours, so they are small:
// nothing here can reach 4 GiB.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "wire/limits.h"

namespace fairlead::wire {

class FrameBuilder {
 public:
  FrameBuilder(std::string& out, char type) : out_(out), length_at_(out.size() + 1) {
    out_.push_back(type);
    out_.append(4, '\0');
  }
  /// A start-up packet: the only kind of frame that has no type byte.
  explicit FrameBuilder(std::string& out) : out_(out), length_at_(out.size()) {
    out_.append(4, '\0');
  }
  ~FrameBuilder() {
    store_u32(out_.data() + length_at_, static_cast<uint32_t>(out_.size() - length_at_));
  }
  FrameBuilder(const FrameBuilder&) = delete;
  FrameBuilder& operator=(const FrameBuilder&) = delete;

  FrameBuilder& byte(char value) {
    out_.push_back(value);
    return *this;
  }
  FrameBuilder& u16(size_t value) {
    append_u16(out_, static_cast<uint16_t>(value));
    return *this;
  }
  FrameBuilder& u32(uint32_t value) {
    append_u32(out_, value);
    return *this;
  }
  FrameBuilder& bytes(std::string_view value) {
    out_.append(value);
    return *this;
  }
  /// Ends at the first zero in `text`, if there is one: a zero inside would shift every later
  /// field.
  FrameBuilder& c_string(std::string_view text) {
    append_c_string(out_, text.substr(0, text.find('\0')));
    return *this;
  }
  /// A length and the bytes.
  FrameBuilder& counted(std::string_view value) {
    return u32(static_cast<uint32_t>(value.size())).bytes(value);
  }

 private:
  std::string& out_;
  size_t length_at_;
};

}  // namespace fairlead::wire
