#include "sql/parse_tree.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::sql {
namespace {

constexpr size_t kNone = ParseTree::kNone;

size_t find_key(const ParseTree& tree, std::string_view key) {
  for (size_t i = 0; i < tree.size(); ++i)
    if (tree.key(i) == key) return i;
  return kNone;
}

TEST(ParseTree, GivesEveryNodeWithItsParentAndChildren) {
  const auto tree = ParseTree::of("SELECT a, 'b' FROM t; TABLE u");
  ASSERT_TRUE(tree.has_value());
  const size_t statements = tree->member(0, "stmts");
  ASSERT_EQ(tree->count(statements), 2u);
  const size_t first = tree->first(statements);
  EXPECT_NE(tree->member(tree->member(first, "stmt"), "SelectStmt"), kNone);
  EXPECT_EQ(tree->next(tree->next(first)), kNone);
  EXPECT_EQ(tree->text(find_key(*tree, "RangeVar"), "relname"), "t");
  EXPECT_TRUE(tree->flag(find_key(*tree, "RangeVar"), "inh"));
  EXPECT_EQ(tree->number(first, "stmt_len"), 20);
  EXPECT_EQ(tree->member(kNone, "x"), kNone);
  EXPECT_EQ(tree->text(kNone, "x"), "");
}

TEST(ParseTree, DecodesEveryEscape) {
  std::string literal;
  for (char c = 1; c < 127; ++c)
    if (c != '\'') literal += c;
  literal += "\xc3\xa4\xf0\x9f\x98\x80";
  const auto tree = ParseTree::of("SELECT '" + literal + "'");
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(tree->text(find_key(*tree, "sval"), "sval"), literal);
}

TEST(ParseTree, ReportsPostgresOwnMessage) {
  const auto tree = ParseTree::of("SELEC 1");
  ASSERT_FALSE(tree.has_value());
  EXPECT_EQ(tree.error().code, ErrorCode::kSyntaxError);
  EXPECT_EQ(tree.error().message, "syntax error at or near \"SELEC\"");
}

TEST(ParseTree, OfNothingHasNoStatements) {
  const auto tree = ParseTree::of("");
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(tree->count(tree->member(0, "stmts")), 0u);
}

}  // namespace
}  // namespace fairlead::sql
