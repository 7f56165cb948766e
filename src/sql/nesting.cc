#include "sql/nesting.h"

#include <algorithm>
#include <vector>

namespace fairlead::sql {

size_t nesting_bound(std::string_view text, LexOptions options, size_t limit) {
  // `base`: what stands around and before the current list item. A set operation stays in it,
  // because "SELECT 1, 2 UNION SELECT 1, 2 UNION ..." grows deeper although there are commas in
  // between.
  std::vector<size_t> outer_bases;
  size_t base = 0;
  size_t now = 0;
  size_t deepest = 0;
  Lexer lexer(text, options);
  for (Token token = lexer.next_significant(); token.kind != TokenKind::kEnd && deepest <= limit;
       token = lexer.next_significant()) {
    ++now;
    deepest = std::max(deepest, now);
    if (token.kind == TokenKind::kIdentifier) {
      if (is_word(text, token, "union") || is_word(text, token, "intersect") ||
          is_word(text, token, "except"))
        ++base;
      continue;
    }
    if (token.kind != TokenKind::kPunctuation) continue;
    switch (text[token.begin]) {
      case '(':
      case '[':
        outer_bases.push_back(base);
        outer_bases.push_back(now);
        base = now;
        break;
      case ')':
      case ']':
        if (outer_bases.empty()) break;
        now = outer_bases.back();
        outer_bases.pop_back();
        base = outer_bases.back();
        outer_bases.pop_back();
        break;
      case ',':
      case ';':
        now = base;
        break;
      default:
        break;
    }
  }
  return deepest;
}

}  // namespace fairlead::sql
