// Letters and digits as PostgreSQL's and our own names have them: ASCII, whatever the locale says.
#pragma once

#include <string>
#include <string_view>

namespace fairlead {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_letter_or_digit(char c) { return is_letter(c) || is_digit(c); }

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

inline std::string lower(std::string_view text) {
  std::string folded(text);
  for (char& c : folded) c = lower(c);
  return folded;
}
inline std::string upper(std::string_view text) {
  std::string folded(text);
  for (char& c : folded) c = upper(c);
  return folded;
}

}  // namespace fairlead
