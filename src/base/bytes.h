// Reading and writing PostgreSQL's big-endian fields.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead {

inline uint16_t load_u16(const char* p) {
  const auto* b = reinterpret_cast<const unsigned char*>(p);
  return static_cast<uint16_t>(b[0] << 8 | b[1]);
}

inline uint32_t load_u32(const char* p) {
  const auto* b = reinterpret_cast<const unsigned char*>(p);
  return uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 | b[3];
}

inline void store_u32(char* p, uint32_t value) {
  p[0] = static_cast<char>(value >> 24);
  p[1] = static_cast<char>(value >> 16);
  p[2] = static_cast<char>(value >> 8);
  p[3] = static_cast<char>(value);
}

inline void append_u16(std::string& out, uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value));
}

inline void append_u32(std::string& out, uint32_t value) {
  char bytes[4];
  store_u32(bytes, value);
  out.append(bytes, 4);
}

/// Appends `text` and a terminating zero. `text` must not contain one.
inline void append_c_string(std::string& out, std::string_view text) {
  out.append(text);
  out.push_back('\0');
}

}  // namespace fairlead
