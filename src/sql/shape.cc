#include "sql/shape.h"

#include <array>
#include <cstring>

#include "base/ascii.h"

namespace fairlead::sql {
namespace {

// The lower-case form of every byte that may continue an identifier, 0 for all others: one look-up
// both finds the end of a word and folds it.
constexpr std::array<char, 256> make_folded() {
  std::array<char, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    if ((lex::kClasses[c] & lex::kIdentifierPart) == 0) continue;
    table[c] = lower(static_cast<char>(c));
  }
  return table;
}
constexpr std::array<char, 256> kFolded = make_folded();

// The statements whose literals are data. `word` is in lower case.
bool is_query_keyword(std::string_view word) {
  switch (word.size()) {
    case 4:
      return word == "with";
    case 5:
      return word == "merge" || word == "table";
    case 6:
      return word == "select" || word == "insert" || word == "update" || word == "delete" ||
             word == "values";
    default:
      return false;
  }
}

}  // namespace

// What may touch a dropped literal in front of it.
constexpr bool closes_literal(char c) { return c == ')' || c == ',' || c == ']' || c == ';'; }

// Tokens of one byte that need no closer look: brackets, commas, the dot of "t.a", an operator that
// nothing could lengthen. Never a ?, which would have to be doubled.
constexpr bool stands_alone(char c, char next) {
  if (lex::is(c, lex::kSinglePunctuation)) return true;
  if (c == '.') return lex::is(next, lex::kIdentifierStart) || next == '"' || next == '*';
  return lex::is(c, lex::kOperatorBit) && !lex::is(next, lex::kOperatorBit) && c != '?';
}

// One run over one text. Words, brackets and white space are taken here, because they are most of
// SQL and a separate token for each doubles the time; everything else is the lexer's.
class ShapeWriter {
 public:
  ShapeWriter(std::string_view text, LexOptions options, LiteralPolicy policy, Shape& shape)
      : text_(text), options_(options), policy_(policy), shape_(shape) {
    // One space and two bytes for each byte of a token are the most that a token can become.
    if (shape.buffer_.size() < 3 * text.size()) shape.buffer_.resize(3 * text.size());
    begin_ = shape.buffer_.data();
  }

  void run();

 private:
  char* write_token(const Token& token, char* out, bool gap);
  bool is_escape(const Token& token, const char* out) const;
  void start_statement(std::string_view first);

  void bracket_or_semicolon(char c) {
    if (c == '(') {
      ++depth_;
    } else if (c == ')') {
      if (depth_ > 0) --depth_;
    } else if (c == ';' && depth_ == 0) {
      starting_ = true;
      keeps_ = false;
    }
  }

  std::string_view text_;
  LexOptions options_;
  LiteralPolicy policy_;
  Shape& shape_;
  char* begin_ = nullptr;
  size_t depth_ = 0;
  bool starting_ = true;  // The next token is the first of a statement.
  bool keeps_ = false;    // This statement keeps its literals.
  bool after_dropped_literal_ = false;
};

void ShapeWriter::run() {
  Lexer lexer(text_, options_);
  const char* const text = text_.data();
  const size_t size = text_.size();
  char* out = begin_;
  bool gap = false;  // White space or a comment stands before the next token.
  for (size_t i = 0; i < size;) {
    const char c = text[i];
    if (lex::is(c, lex::kSpaceBit)) {
      gap = true;
      ++i;
      continue;
    }
    const bool space = out != begin_ && gap;
    if (lex::is(c, lex::kIdentifierStart) &&
        (i + 1 == size || (text[i + 1] != '\'' && text[i + 1] != '&'))) {
      if (space || after_dropped_literal_) *out++ = ' ';
      const char* const word = out;
      for (char folded; i < size && (folded = kFolded[static_cast<unsigned char>(text[i])]) != 0;
           ++i)
        *out++ = folded;
      after_dropped_literal_ = false;
      if (starting_) start_statement(std::string_view(word, out));
    } else if (stands_alone(c, i + 1 < size ? text[i + 1] : ' ')) {
      if (space || (after_dropped_literal_ && !closes_literal(c))) *out++ = ' ';
      *out++ = c;
      ++i;
      after_dropped_literal_ = false;
      if (starting_ && c != ';') start_statement(std::string_view(out - 1, 1));
      bracket_or_semicolon(c);
    } else {
      const Token token = lexer.next_from(i);
      i = token.end;
      if (token.kind == TokenKind::kComment) {
        shape_.has_comment = true;
        shape_.terminated = shape_.terminated && token.terminated;
        gap = true;
        continue;
      }
      out = write_token(token, out, space);
    }
    gap = false;
  }
  shape_.size_ = static_cast<size_t>(out - begin_);
}

// UESCAPE '!' says which character escapes others in a name, so that another one makes another
// name of the same bytes.
bool ShapeWriter::is_escape(const Token& token, const char* out) const {
  constexpr std::string_view kWord = "uescape";
  std::string_view before(begin_, out);
  if (before.ends_with(' ')) before.remove_suffix(1);
  if (token.kind != TokenKind::kString || !before.ends_with(kWord)) return false;
  before.remove_suffix(kWord.size());
  return before.empty() || kFolded[static_cast<unsigned char>(before.back())] == 0;
}

// A dropped literal keeps a space to whatever it could be read together with: "-5" must not become
// the operator "-?". Brackets and commas cannot be.
char* ShapeWriter::write_token(const Token& token, char* out, bool gap) {
  shape_.terminated = shape_.terminated && token.terminated;
  if (token.backslash && !options_.standard_conforming_strings) shape_.ambiguous_strings = true;
  const bool is_literal = token.kind >= TokenKind::kString && token.kind <= TokenKind::kNumber;
  const bool keeps = keeps_ || (policy_ == LiteralPolicy::kKeepInUtility && is_escape(token, out));
  const bool drops = is_literal && !keeps;
  const char last = out == begin_ ? '(' : out[-1];
  const bool touches = drops ? last != '(' && last != ',' && last != '[' : after_dropped_literal_;
  if (drops) shape_.has_dropped_literal = true;
  if (gap || (touches && last != ' ')) *out++ = ' ';
  const char* const from = text_.data() + token.begin;
  const size_t size = token.end - token.begin;
  const char* const written = out;
  if (drops) {
    *out++ = '?';
  } else if (token.kind == TokenKind::kIdentifier) {  // Such as the n of "n&1".
    for (size_t i = 0; i < size; ++i) *out++ = kFolded[static_cast<unsigned char>(from[i])];
  } else if (token.kind == TokenKind::kOperator) {
    for (size_t i = 0; i < size; ++i) {
      *out++ = from[i];
      if (from[i] == '?') *out++ = '?';
    }
  } else {
    std::memcpy(out, from, size);
    out += size;
  }
  after_dropped_literal_ = drops;
  if (starting_) start_statement(std::string_view(written, out));
  return out;
}

void ShapeWriter::start_statement(std::string_view first) {
  starting_ = false;
  if (first == "(" || is_query_keyword(first)) return;
  shape_.has_utility = true;
  keeps_ = policy_ == LiteralPolicy::kKeepInUtility;
}

void make_shape(std::string_view text, LexOptions options, LiteralPolicy policy, Shape& out) {
  out.has_comment = out.has_utility = out.has_dropped_literal = out.ambiguous_strings = false;
  out.terminated = true;
  ShapeWriter(text, options, policy, out).run();
}

}  // namespace fairlead::sql
