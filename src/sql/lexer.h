// PostgreSQL's lexical rules (scan.l of version 15), by hand: about 2 ns a byte, no allocation.
//
// It only finds where tokens begin and end. It does not decode literals, know keywords or judge.
// Any bytes are fine as input: invalid UTF-8, zeros, unterminated literals. Encodings whose
// characters may contain ASCII bytes (SJIS, BIG5, GBK, GB18030, UHC, JOHAB) are not: see
// LexOptions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fairlead::sql {

/// How the server would read the text.
struct LexOptions {
  /// When off, plain '...' strings have backslash escapes too.
  bool standard_conforming_strings = true;
  /// False when the client's encoding may hide a backslash or a letter in a multi-byte character:
  /// then nothing is proven about a text, and it goes to the primary.
  bool ascii_safe_encoding = true;

  bool operator==(const LexOptions&) const = default;
};

enum class TokenKind : uint8_t {
  kEnd,
  kIdentifier,        // Keywords included.
  kQuotedIdentifier,  // "..." and U&"...".
  kString,        // '...' with or without E, B, X, N, U& before it; continuation lines included.
  kDollarString,  // $tag$...$tag$
  kNumber,
  kParameter,    // $1
  kOperator,     // One operator by PostgreSQL's rules, also = < > and the like.
  kPunctuation,  // ( ) [ ] , ; . : and the pairs :: := ..
  kComment,      // -- to the end of the line, or /* */ with what it nests.
  kOther,        // One byte that no rule takes, such as { or a zero.
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  bool terminated =
      true;  // False: a string, quoted identifier or comment that the text's end cut off.
  bool backslash = false;  // A plain or N string, read with backslash escapes, holds one.
  size_t begin = 0;
  size_t end = 0;

  std::string_view in(std::string_view text) const { return text.substr(begin, end - begin); }
};

namespace lex {

// What a byte can begin or continue. One table, because this runs for every byte of every
// statement.
enum Class : uint8_t {
  kSpaceBit = 1 << 0,
  kIdentifierStart = 1 << 1,
  kIdentifierPart = 1 << 2,
  kDigit = 1 << 3,
  kOperatorBit = 1 << 4,
  kTagPart = 1 << 5,            // Of a dollar quote: like an identifier, without $.
  kSinglePunctuation = 1 << 6,  // A token by itself, whatever follows.
};

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    const bool digit = c >= '0' && c <= '9';
    unsigned bits = 0;
    if (letter) bits |= kIdentifierStart | kIdentifierPart | kTagPart;
    if (digit) bits |= kDigit | kIdentifierPart | kTagPart;
    if (c == '$') bits |= kIdentifierPart;
    table[c] = static_cast<uint8_t>(bits);
  }
  for (char c : {' ', '\t', '\n', '\r', '\f'}) table[static_cast<unsigned char>(c)] = kSpaceBit;
  for (char c : std::string_view("~!@#^&|`?+-*/%<>="))
    table[static_cast<unsigned char>(c)] = kOperatorBit;
  for (char c : std::string_view("()[],;"))
    table[static_cast<unsigned char>(c)] = kSinglePunctuation;
  return table;
}
inline constexpr std::array<uint8_t, 256> kClasses = make_classes();

constexpr bool is(char c, unsigned bits) {
  return (kClasses[static_cast<unsigned char>(c)] & bits) != 0;
}

}  // namespace lex

class Lexer {
 public:
  /// `text` must outlive the lexer.
  explicit Lexer(std::string_view text, LexOptions options = {}, size_t from = 0) noexcept
      : text_(text), position_(from < text.size() ? from : text.size()), options_(options) {}

  /// The next token; comments included, white space skipped. kEnd for ever at the end.
  Token next() noexcept;
  /// The token at or after `from`, which must be where a token begins or white space.
  Token next_from(size_t from) noexcept {
    position_ = from;
    return next();
  }
  /// next() without comments.
  Token next_significant() noexcept {
    Token token = next();
    while (token.kind == TokenKind::kComment) token = next();
    return token;
  }

 private:
  Token make(TokenKind kind, size_t begin, size_t end) noexcept {
    position_ = end;
    return Token{.kind = kind, .begin = begin, .end = end};
  }
  Token prefixed_literal(size_t begin) noexcept;
  Token other(size_t begin) noexcept;
  Token string(size_t begin, size_t quote, bool escapes, bool plain) noexcept;
  Token quoted_identifier(size_t begin, size_t quote) noexcept;
  Token dollar(size_t begin) noexcept;
  Token number(size_t begin) noexcept;
  Token line_comment(size_t begin) noexcept;
  Token block_comment(size_t begin) noexcept;
  Token operator_or_comment(size_t begin) noexcept;
  size_t continuation(size_t after_quote) const noexcept;
  char at(size_t i) const noexcept { return i < text_.size() ? text_[i] : '\0'; }

  std::string_view text_;
  size_t position_;
  size_t signs_until_ = 0;
  LexOptions options_;
};

// Inline: words and brackets are most of SQL, and the shape of every statement is made of them.
inline Token Lexer::next() noexcept {
  const char* const text = text_.data();
  const size_t size = text_.size();
  size_t i = position_;
  while (i < size && lex::is(text[i], lex::kSpaceBit)) ++i;
  if (i >= size) return make(TokenKind::kEnd, size, size);
  const uint8_t classes = lex::kClasses[static_cast<unsigned char>(text[i])];
  if ((classes & lex::kIdentifierStart) != 0) {
    size_t end = i + 1;
    if (end < size && (text[end] == '\'' || text[end] == '&')) {
      const Token literal = prefixed_literal(i);
      if (literal.kind != TokenKind::kEnd) return literal;
    }
    while (end < size && lex::is(text[end], lex::kIdentifierPart)) ++end;
    return make(TokenKind::kIdentifier, i, end);
  }
  if ((classes & lex::kSinglePunctuation) != 0) return make(TokenKind::kPunctuation, i, i + 1);
  if ((classes & lex::kDigit) != 0) return number(i);
  return other(i);
}

/// Whether `token` of `text` is the unquoted word `keyword` (given in lower case), in any case.
bool is_word(std::string_view text, const Token& token, std::string_view keyword) noexcept;

}  // namespace fairlead::sql
