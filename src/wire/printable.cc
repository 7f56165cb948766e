#include "wire/printable.h"

#include <cstdint>

namespace fairlead::wire {
namespace {

struct Character {
  uint32_t code_point = 0;
  size_t size = 0;  // 0: not UTF-8.
};

// One character off the front of `text`, which is not empty. Refuses overlong forms, surrogates and
// what lies above U+10FFFF, as PostgreSQL does.
Character decode_utf8(std::string_view text) {
  const auto byte = [&](size_t i) -> uint32_t { return static_cast<unsigned char>(text[i]); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};

  size_t size = 0;
  uint32_t smallest = 0;
  uint32_t code_point = 0;
  if ((lead & 0xE0) == 0xC0) {
    size = 2, smallest = 0x80, code_point = lead & 0x1F;
  } else if ((lead & 0xF0) == 0xE0) {
    size = 3, smallest = 0x800, code_point = lead & 0x0F;
  } else if ((lead & 0xF8) == 0xF0) {
    size = 4, smallest = 0x10000, code_point = lead & 0x07;
  } else {
    return {};
  }
  if (text.size() < size) return {};
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code_point = code_point << 6 | (byte(i) & 0x3F);
  }
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < smallest || surrogate || code_point > 0x10FFFF) return {};
  return {code_point, size};
}

bool harmless(uint32_t c) {
  if (c < 0x20 || (c >= 0x7F && c <= 0x9F)) return false;
  if (c == 0x200E || c == 0x200F) return false;  // Direction marks.
  if (c >= 0x2028 && c <= 0x202E) return false;  // Separators, direction embeddings and overrides.
  if (c >= 0x2066 && c <= 0x2069) return false;  // Direction isolates.
  return c != 0xFEFF;                            // Byte order mark: invisible.
}

void append_escaped(std::string& out, std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.append({'\\', 'x', kHex[byte >> 4], kHex[byte & 0xF]});
  }
}

}  // namespace

size_t utf8_prefix(std::string_view text) {
  size_t valid = 0;
  while (valid < text.size()) {
    const Character next = decode_utf8(text.substr(valid));
    if (next.size == 0) break;
    valid += next.size;
  }
  return valid;
}

std::string printable(std::string_view text, size_t max) {
  constexpr std::string_view kCut = "...";
  std::string out;
  size_t cut_at = 0;  // Where `out` can end and still have room for kCut.
  while (!text.empty()) {
    if (out.size() + kCut.size() <= max) cut_at = out.size();
    const Character character = decode_utf8(text);
    const std::string_view bytes = text.substr(0, character.size == 0 ? 1 : character.size);
    if (character.size != 0 && harmless(character.code_point))
      out.append(bytes);
    else
      append_escaped(out, bytes);
    if (out.size() > max) {
      out.resize(cut_at);
      out.append(kCut.substr(0, max));
      return out;
    }
    text.remove_prefix(bytes.size());
  }
  return out;
}

}  // namespace fairlead::wire
