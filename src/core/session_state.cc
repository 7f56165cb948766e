#include "core/session_state.h"

#include <algorithm>
#include <array>

namespace fairlead::core {
namespace {

/// Encodings in which a byte of a multi-byte character may be a backslash, a quote or a letter;
/// PostgreSQL allows them to clients only.
constexpr std::array<std::string_view, 7> kUnsafeEncodings{
    "SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB", "SHIFT_JIS_2004"};

}  // namespace

void SessionState::note_seen(std::string_view name, std::string_view value) {
  seen_.set(name, value);
  const TextRules rules = text_rules();
  lex_options_.standard_conforming_strings = rules.standard_conforming_strings;
  lex_options_.ascii_safe_encoding =
      std::ranges::find(kUnsafeEncodings, rules.client_encoding) == kUnsafeEncodings.end();
  default_read_only_ = seen_.value_or("default_transaction_read_only", "off") == "on";
}

}  // namespace fairlead::core
