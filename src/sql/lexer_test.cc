#include "sql/lexer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fairlead::sql {
namespace {

std::vector<std::string> tokens(std::string_view text, LexOptions options = {}) {
  std::vector<std::string> found;
  Lexer lexer(text, options);
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next())
    found.emplace_back(token.in(text));
  return found;
}

std::vector<TokenKind> kinds(std::string_view text, LexOptions options = {}) {
  std::vector<TokenKind> found;
  Lexer lexer(text, options);
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next())
    found.push_back(token.kind);
  return found;
}

using Strings = std::vector<std::string>;
using Kinds = std::vector<TokenKind>;
using enum TokenKind;

TEST(Lexer, SplitsAStatementIntoItsTokens) {
  EXPECT_EQ(
      tokens("SELECT a.b, $1 FROM t WHERE x>=1.5e3;"),
      (Strings{"SELECT", "a", ".", "b", ",", "$1", "FROM", "t", "WHERE", "x", ">=", "1.5e3", ";"}));
  EXPECT_EQ(kinds("a $1 1 'x' $$x$$ \"q\" + ( {"),
            (Kinds{kIdentifier, kParameter, kNumber, kString, kDollarString, kQuotedIdentifier,
                   kOperator, kPunctuation, kOther}));
}

TEST(Lexer, FindsWhereStringsEnd) {
  struct Case {
    const char* text;
    Strings expected;
  };
  const Case cases[] = {
      {"'a''b' c", {"'a''b'", "c"}},
      {"'a\\' b", {"'a\\'", "b"}},
      {"E'a\\'b' c", {"E'a\\'b'", "c"}},
      {"e'a\\\\' c", {"e'a\\\\'", "c"}},
      {"U&'d\\0061' c", {"U&'d\\0061'", "c"}},
      {"u&\"a\"\"b\" c", {"u&\"a\"\"b\"", "c"}},
      {"B'01' X'ff' n'x' c", {"B'01'", "X'ff'", "n'x'", "c"}},
      {"B'0''1'", {"B'0'", "'1'"}},
      {"fe'x'", {"fe", "'x'"}},
      {"E 'a\\' b", {"E", "'a\\'", "b"}},
      {"\"a\"\"b\"c", {"\"a\"\"b\"", "c"}},
      {"u&1", {"u", "&", "1"}},
  };
  for (const Case& c : cases) EXPECT_EQ(tokens(c.text), c.expected) << c.text;
}

TEST(Lexer, ContinuesAStringOverALineBreakInTheSameMode) {
  EXPECT_EQ(tokens("'a'\n 'b' c"), (Strings{"'a'\n 'b'", "c"}));
  EXPECT_EQ(tokens("'a' 'b'"), (Strings{"'a'", "'b'"}));
  EXPECT_EQ(tokens("'a' -- x\n'b'"), (Strings{"'a' -- x\n'b'"}));
  EXPECT_EQ(tokens("'a' /* \n */ 'b'").size(), 3u);  // A block comment does not count.
  EXPECT_EQ(tokens("E'a'\n'b\\'c' d"), (Strings{"E'a'\n'b\\'c'", "d"}));
}

TEST(Lexer, HonoursBackslashesWhenStandardConformingStringsIsOff) {
  const LexOptions off{.standard_conforming_strings = false};
  EXPECT_EQ(tokens("'a\\'b' c", off), (Strings{"'a\\'b'", "c"}));
  EXPECT_EQ(tokens("n'a\\'b' c", off), (Strings{"n'a\\'b'", "c"}));
  EXPECT_EQ(tokens("x'a\\' c", off), (Strings{"x'a\\'", "c"}));
  Lexer lexer("'a\\'b'", off);
  EXPECT_TRUE(lexer.next().backslash);
}

TEST(Lexer, FindsWhereDollarQuotesEnd) {
  EXPECT_EQ(tokens("$$a'b$$ c"), (Strings{"$$a'b$$", "c"}));
  EXPECT_EQ(tokens("$f$ $$ $g$ $f$ c"), (Strings{"$f$ $$ $g$ $f$", "c"}));
  EXPECT_EQ(tokens("$a$$a$$a$"), (Strings{"$a$$a$", "$a$"}));
  EXPECT_EQ(tokens("a$b$c"), (Strings{"a$b$c"}));  // An identifier.
  EXPECT_EQ(tokens("$1$2"), (Strings{"$1", "$2"}));
  EXPECT_EQ(tokens("$x y"), (Strings{"$", "x", "y"}));
}

TEST(Lexer, NestsBlockComments) {
  EXPECT_EQ(tokens("/* a /* b */ c */ d"), (Strings{"/* a /* b */ c */", "d"}));
  EXPECT_EQ(tokens("/**/a"), (Strings{"/**/", "a"}));
  EXPECT_EQ(tokens("/*/ a */b"), (Strings{"/*/ a */", "b"}));
  EXPECT_EQ(tokens("a -- b\nc"), (Strings{"a", "-- b", "c"}));
  EXPECT_EQ(tokens("'/* no */'"), (Strings{"'/* no */'"}));
}

TEST(Lexer, EndsOperatorsWherePostgresDoes) {
  EXPECT_EQ(tokens("a=-1"), (Strings{"a", "=", "-", "1"}));
  EXPECT_EQ(tokens("a@-1"), (Strings{"a", "@-", "1"}));
  EXPECT_EQ(tokens("a<=b<>c=>d"), (Strings{"a", "<=", "b", "<>", "c", "=>", "d"}));
  EXPECT_EQ(tokens("a+--b\nc"), (Strings{"a", "+", "--b", "c"}));
  EXPECT_EQ(tokens("a*/*b*/c"), (Strings{"a", "*", "/*b*/", "c"}));
  EXPECT_EQ(tokens("a->>'b'"), (Strings{"a", "->>", "'b'"}));
  EXPECT_EQ(tokens("=+-+"), (Strings{"=", "+", "-", "+"}));
  EXPECT_EQ(tokens("a::int b:=1 c[1:2]"),
            (Strings{"a", "::", "int", "b", ":=", "1", "c", "[", "1", ":", "2", "]"}));
}

TEST(Lexer, ReadsNumbersAsVersion15Does) {
  EXPECT_EQ(tokens("1 1. .5 1.5 1e5 1E-5 1..2"),
            (Strings{"1", "1.", ".5", "1.5", "1e5", "1E-5", "1", "..", "2"}));
  EXPECT_EQ(tokens("1e 1e+ 0x1F 1_0"), (Strings{"1", "e", "1", "e", "+", "0", "x1F", "1", "_0"}));
}

TEST(Lexer, SaysWhenTheTextEndsInsideAToken) {
  for (const char* text : {"'a", "E'a\\", "\"a", "/* a", "/* /* */", "$$a", "$t$a$", "U&'a"}) {
    Lexer lexer(text);
    EXPECT_FALSE(lexer.next().terminated) << text;
    EXPECT_EQ(lexer.next().kind, kEnd) << text;
  }
}

constexpr const char* kEverything =
    "SELECT 'a''b', E'\\'x', U&'d\\0061', $t$ ' $t$, \"q\"\"r\", /* c /* d */ */ 1.5e-3 -- e\n"
    "FROM t.u WHERE a->>'k' @> $12 AND x::int = ANY(ARRAY[1,2]) 'con'\n'tinued' ; =+-+ $ 1..2 {";

// The text is copied to the heap at its exact size, so that the sanitizer sees a read behind it.
TEST(Lexer, CoversEveryTruncationWithoutGapsOrOverlaps) {
  const std::string all = kEverything;
  for (size_t size = 0; size <= all.size(); ++size) {
    const std::vector<char> exact(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size));
    const std::string_view text(exact.data(), exact.size());
    for (const bool standard : {true, false}) {
      Lexer lexer(text, {.standard_conforming_strings = standard});
      size_t end = 0;
      for (Token token = lexer.next(); token.kind != kEnd; token = lexer.next()) {
        ASSERT_GE(token.begin, end);
        ASSERT_GT(token.end, token.begin);
        ASSERT_LE(token.end, text.size());
        const auto gap = text.substr(end, token.begin - end);
        ASSERT_EQ(gap.find_first_not_of(" \t\n\r\f"), std::string_view::npos);
        end = token.end;
      }
    }
  }
}

TEST(Lexer, TakesAnySingleByte) {
  for (unsigned c = 0; c < 256; ++c) {
    const std::vector<char> one{static_cast<char>(c)};
    Lexer lexer(std::string_view(one.data(), 1));
    const Token token = lexer.next();
    if (token.kind != kEnd) {
      EXPECT_EQ(token.end, 1u);
    }
    EXPECT_EQ(lexer.next().kind, kEnd);
  }
}

TEST(Lexer, StaysLinearOverAMegabyteOfSigns) {
  std::string signs;
  for (int i = 0; i < 500'000; ++i) signs += "+";
  Lexer lexer(signs);
  size_t count = 0;
  while (lexer.next().kind != kEnd) ++count;
  EXPECT_EQ(count, signs.size());  // A quadratic scan would not come back in the time of a test.
}

}  // namespace
}  // namespace fairlead::sql
