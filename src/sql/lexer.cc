#include "sql/lexer.h"

#include <algorithm>

#include "base/ascii.h"

namespace fairlead::sql {
namespace {

using lex::is;
using lex::kDigit;
using lex::kIdentifierStart;
using lex::kOperatorBit;
using lex::kSpaceBit;
using lex::kTagPart;

// An operator that holds one of these may end in + or -; any other gives its trailing signs back,
// so that "a=-1" is a comparison with -1.
constexpr bool lets_a_sign_stay(char c) {
  return std::string_view("~!@#^&|`?%").find(c) != std::string_view::npos;
}

}  // namespace

Token Lexer::other(size_t i) noexcept {
  const char c = text_[i];
  if (is(c, kOperatorBit)) return operator_or_comment(i);
  switch (c) {
    case '\'':
      return string(i, i, !options_.standard_conforming_strings, true);
    case '"':
      return quoted_identifier(i, i);
    case '$':
      return dollar(i);
    case '.':
      if (is(at(i + 1), kDigit)) return number(i);
      return make(TokenKind::kPunctuation, i, at(i + 1) == '.' ? i + 2 : i + 1);
    case ':':
      return make(TokenKind::kPunctuation, i, at(i + 1) == ':' || at(i + 1) == '=' ? i + 2 : i + 1);
    default:
      return make(TokenKind::kOther, i, i + 1);
  }
}

// A letter before a quote that makes another kind of literal of it. kEnd: it does not.
Token Lexer::prefixed_literal(size_t begin) noexcept {
  const size_t i = begin + 1;
  if (at(i) == '\'') {
    switch (lower(text_[begin])) {
      case 'e':
        return string(begin, i, true, false);
      case 'n':  // NCHAR and a plain string, to PostgreSQL.
        return string(begin, i, !options_.standard_conforming_strings, true);
      case 'b':
      case 'x':
        return string(begin, i, false, false);
      default:
        break;
    }
  } else if (at(i) == '&' && lower(text_[begin]) == 'u') {
    if (at(i + 1) == '\'') return string(begin, i + 1, false, false);
    if (at(i + 1) == '"') return quoted_identifier(begin, i + 1);
  }
  return Token{};
}

// After a closing quote, white space that holds a newline, and a quote: the literal goes on, in the
// same mode. Returns the position after that quote, or 0.
size_t Lexer::continuation(size_t after_quote) const noexcept {
  bool newline = false;
  for (size_t i = after_quote; i < text_.size();) {
    const char c = text_[i];
    if (is(c, kSpaceBit)) {
      newline = newline || c == '\n' || c == '\r';
      ++i;
    } else if (c == '-' && at(i + 1) == '-') {
      while (i < text_.size() && text_[i] != '\n' && text_[i] != '\r') ++i;
    } else {
      return c == '\'' && newline ? i + 1 : 0;
    }
  }
  return 0;
}

Token Lexer::string(size_t begin, size_t quote, bool escapes, bool plain) noexcept {
  // B'...' and X'...' know no doubled quote: B'0''1' is two literals.
  const bool doubling =
      quote == begin || (lower(text_[begin]) != 'b' && lower(text_[begin]) != 'x');
  bool backslash = false;
  size_t i = quote + 1;
  while (i < text_.size()) {
    if (!escapes) i = std::min(text_.find('\'', i), text_.size());  // May be a megabyte away.
    if (i == text_.size()) break;
    const char c = text_[i];
    if (c == '\\' && escapes) {
      backslash = true;
      i += 2;
    } else if (c != '\'') {
      ++i;
    } else if (doubling && at(i + 1) == '\'') {
      i += 2;
    } else if (const size_t more = continuation(i + 1); more != 0) {
      i = more;
    } else {
      Token token = make(TokenKind::kString, begin, i + 1);
      token.backslash = plain && backslash;
      return token;
    }
  }
  Token token = make(TokenKind::kString, begin, text_.size());
  token.terminated = false;
  token.backslash = plain && backslash;
  return token;
}

Token Lexer::quoted_identifier(size_t begin, size_t quote) noexcept {
  for (size_t i = text_.find('"', quote + 1); i != std::string_view::npos;
       i = text_.find('"', i + 2)) {
    if (at(i + 1) != '"') return make(TokenKind::kQuotedIdentifier, begin, i + 1);
  }
  Token token = make(TokenKind::kQuotedIdentifier, begin, text_.size());
  token.terminated = false;
  return token;
}

Token Lexer::dollar(size_t begin) noexcept {
  size_t i = begin + 1;
  if (is(at(i), kDigit)) {
    while (i < text_.size() && is(text_[i], kDigit)) ++i;
    return make(TokenKind::kParameter, begin, i);
  }
  if (is(at(i), kIdentifierStart))
    while (i < text_.size() && is(text_[i], kTagPart)) ++i;
  if (at(i) != '$') return make(TokenKind::kOther, begin, begin + 1);
  const std::string_view delimiter = text_.substr(begin, i + 1 - begin);
  const size_t close = text_.find(delimiter, i + 1);
  if (close != std::string_view::npos)
    return make(TokenKind::kDollarString, begin, close + delimiter.size());
  Token token = make(TokenKind::kDollarString, begin, text_.size());
  token.terminated = false;
  return token;
}

Token Lexer::number(size_t begin) noexcept {
  size_t i = begin;
  const auto digits = [&] {
    while (i < text_.size() && is(text_[i], kDigit)) ++i;
  };
  digits();
  if (at(i) == '.' && at(i + 1) != '.') {  // "1..2" is 1 and .. and 2, as in a PL/pgSQL loop.
    ++i;
    digits();
  }
  if (lower(at(i)) == 'e') {
    const size_t sign = at(i + 1) == '+' || at(i + 1) == '-' ? 1 : 0;
    if (is(at(i + 1 + sign), kDigit)) {
      i += 1 + sign;
      digits();
    }
  }
  return make(TokenKind::kNumber, begin, i);
}

Token Lexer::line_comment(size_t begin) noexcept {
  const size_t end = text_.find_first_of("\n\r", begin);
  return make(TokenKind::kComment, begin, end == std::string_view::npos ? text_.size() : end);
}

Token Lexer::block_comment(size_t begin) noexcept {
  size_t depth = 1;
  size_t i = begin + 2;
  while (i < text_.size()) {
    if (text_[i] == '/' && at(i + 1) == '*') {
      ++depth;
      i += 2;
    } else if (text_[i] == '*' && at(i + 1) == '/') {
      i += 2;
      if (--depth == 0) return make(TokenKind::kComment, begin, i);
    } else {
      ++i;
    }
  }
  Token token = make(TokenKind::kComment, begin, text_.size());
  token.terminated = false;
  return token;
}

Token Lexer::operator_or_comment(size_t begin) noexcept {
  if (text_[begin] == '-' && at(begin + 1) == '-') return line_comment(begin);
  if (text_[begin] == '/' && at(begin + 1) == '*') return block_comment(begin);
  if (begin < signs_until_) return make(TokenKind::kOperator, begin, begin + 1);
  size_t end = begin + 1;
  bool sign_may_stay = lets_a_sign_stay(text_[begin]);
  while (end < text_.size() && is(text_[end], kOperatorBit)) {
    const char c = text_[end];
    if ((c == '-' && at(end + 1) == '-') || (c == '/' && at(end + 1) == '*')) break;
    sign_may_stay = sign_may_stay || lets_a_sign_stay(c);
    ++end;
  }
  if (!sign_may_stay) {
    // What is given back is signs only, each an operator of its own: remembering how far they go
    // keeps a megabyte of them from being scanned once per sign.
    signs_until_ = end;
    while (end > begin + 1 && (text_[end - 1] == '+' || text_[end - 1] == '-')) --end;
  }
  return make(TokenKind::kOperator, begin, end);
}

bool is_word(std::string_view text, const Token& token, std::string_view keyword) noexcept {
  if (token.kind != TokenKind::kIdentifier || token.end - token.begin != keyword.size())
    return false;
  for (size_t i = 0; i < keyword.size(); ++i)
    if (lower(text[token.begin + i]) != keyword[i]) return false;
  return true;
}

}  // namespace fairlead::sql
