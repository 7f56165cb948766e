#include "core/prepared_client.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::core {
namespace {

ClientStatement text(std::string_view query) {
  return {std::make_shared<const PreparedStatement>(HashKey{}, PreparedKind::kProtocol, query, ""),
          nullptr};
}

std::string query_of(const ClientStatements& statements, std::string_view name) {
  const ClientStatement* found = statements.find(name);
  return found ? found->statement->query() : "(missing)";
}

/// Defines and confirms.
void have(ClientStatements& statements, std::string_view name, std::string_view query) {
  ASSERT_TRUE(statements.define(name, text(query)));
  statements.on_confirmed();
}

TEST(ClientStatements, RefusesASecondStatementOfTheSameName) {  // C12
  ClientStatements statements;
  have(statements, "s1", "one");
  const auto second = statements.define("s1", text("two"));
  ASSERT_FALSE(second);
  EXPECT_EQ(sqlstate(second.error().code), "42P05");
  EXPECT_EQ(second.error().message, "prepared statement \"s1\" already exists");
  EXPECT_EQ(query_of(statements, "s1"), "one");
  EXPECT_EQ(statements.unconfirmed(), 0u);
}

TEST(ClientStatements, ReplacesTheUnnamedStatement) {
  ClientStatements statements;
  have(statements, "", "one");
  have(statements, "", "two");
  EXPECT_EQ(query_of(statements, ""), "two");
  EXPECT_EQ(statements.size(), 1u);
}

TEST(ClientStatements, DropsTheUnnamedStatementWithASimpleQueryAndNoOther) {
  ClientStatements statements;
  have(statements, "", "one");
  have(statements, "s1", "two");
  statements.on_simple_query();
  EXPECT_EQ(query_of(statements, ""), "(missing)");
  EXPECT_EQ(query_of(statements, "s1"), "two");
}

TEST(ClientStatements, LetsLaterMessagesOfTheSegmentUseAnUnconfirmedName) {
  ClientStatements statements;
  ASSERT_TRUE(statements.define("s1", text("one")));
  EXPECT_EQ(query_of(statements, "s1"), "one");
  EXPECT_FALSE(statements.define("s1", text("two")));
}

TEST(ClientStatements, ForgetsAStatementThatTheServerRefused) {
  ClientStatements statements;
  ASSERT_TRUE(statements.define("s1", text("not SQL")));
  ASSERT_TRUE(statements.define("s2", text("behind it")));
  statements.on_refused();
  EXPECT_EQ(statements.size(), 0u);
  EXPECT_EQ(statements.bytes(), 0u);
  EXPECT_EQ(statements.unconfirmed(), 0u);
}

TEST(ClientStatements, KeepsWhatWasConfirmedBeforeTheError) {
  ClientStatements statements;
  ASSERT_TRUE(statements.define("s1", text("one")));
  ASSERT_TRUE(statements.define("s2", text("two")));
  statements.on_confirmed();
  statements.on_skipped();
  EXPECT_EQ(query_of(statements, "s1"), "one");
  EXPECT_EQ(query_of(statements, "s2"), "(missing)");
}

TEST(ClientStatements, BringsBackWhatASkippedCloseOrParseWouldHaveReplaced) {
  ClientStatements statements;
  have(statements, "s1", "one");
  have(statements, "", "old");
  const size_t bytes = statements.bytes();
  statements.close("s1");
  ASSERT_TRUE(statements.define("s1", text("two")));
  ASSERT_TRUE(statements.define("", text("new")));
  EXPECT_EQ(query_of(statements, "s1"), "two");
  statements.on_skipped();
  EXPECT_EQ(query_of(statements, "s1"), "one");
  EXPECT_EQ(query_of(statements, ""), "old");
  EXPECT_EQ(statements.bytes(), bytes);
}

TEST(ClientStatements, LosesTheUnnamedStatementWhenItsReplacementIsRefused) {
  ClientStatements statements;
  have(statements, "", "old");
  ASSERT_TRUE(statements.define("", text("not SQL")));
  statements.on_refused();
  EXPECT_EQ(query_of(statements, ""), "(missing)");
}

TEST(ClientStatements, ClosesAMissingNameWithoutAnError) {
  ClientStatements statements;
  statements.close("nothing");
  EXPECT_EQ(statements.unconfirmed(), 1u);
  statements.on_confirmed();
  EXPECT_EQ(statements.size(), 0u);
}

TEST(ClientStatements, DeallocatesByNameAndTellsWhenThereIsNone) {
  ClientStatements statements;
  have(statements, "s1", "one");
  const auto missing = statements.deallocate("s2");
  ASSERT_FALSE(missing);
  EXPECT_EQ(sqlstate(missing.error().code), "26000");
  EXPECT_EQ(missing.error().message, "prepared statement \"s2\" does not exist");
  ASSERT_TRUE(statements.deallocate("s1"));
  statements.on_confirmed();
  EXPECT_EQ(query_of(statements, "s1"), "(missing)");
}

TEST(ClientStatements, DeallocatesAllNamesAndTakesEvenThatBack) {  // C12b
  ClientStatements statements;
  have(statements, "s1", "one");
  have(statements, "s2", "two");
  have(statements, "", "unnamed");
  const size_t bytes = statements.bytes();

  statements.deallocate_all();
  ASSERT_TRUE(statements.define("s1", text("another")));
  EXPECT_EQ(query_of(statements, "s1"), "another");
  EXPECT_EQ(query_of(statements, "s2"), "(missing)");
  EXPECT_EQ(query_of(statements, ""), "unnamed");
  statements.on_skipped();
  EXPECT_EQ(query_of(statements, "s1"), "one");
  EXPECT_EQ(query_of(statements, "s2"), "two");
  EXPECT_EQ(statements.bytes(), bytes);

  statements.deallocate_all();
  statements.on_confirmed();
  EXPECT_EQ(statements.size(), 1u);
}

TEST(ClientStatements, BoundsTheNumberOfStatements) {
  ClientStatements statements({.statements_max = 2, .bytes_max = 1000});
  have(statements, "s1", "one");
  have(statements, "s2", "two");
  const auto third = statements.define("s3", text("three"));
  ASSERT_FALSE(third);
  EXPECT_EQ(sqlstate(third.error().code), "54000");
  EXPECT_EQ(statements.size(), 2u);
  ASSERT_TRUE(statements.deallocate("s1"));
  statements.on_confirmed();
  EXPECT_TRUE(statements.define("s3", text("three")));
}

TEST(ClientStatements, BoundsTheBytesOfStatements) {
  ClientStatements statements({.statements_max = 100, .bytes_max = 10});
  have(statements, "", "123456789");
  have(statements, "", "abcdefghi");  // Instead of the old one.
  EXPECT_EQ(statements.bytes(), 9u);
  const auto second = statements.define("s", text("1"));
  ASSERT_FALSE(second);
  EXPECT_EQ(sqlstate(second.error().code), "54000");
}

TEST(ClientStatements, BoundsWhatIsUnconfirmed) {
  ClientStatements statements({.statements_max = 10, .bytes_max = 1000});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(statements.define("", text("x")));
  EXPECT_FALSE(statements.define("", text("x")));
}

TEST(ClientStatements, SurvivesAPipelineThatNeverRunsDry) {
  ClientStatements statements;
  ASSERT_TRUE(statements.define("", text("0")));
  for (int i = 1; i < 1000; ++i) {
    ASSERT_TRUE(statements.define("", text(std::to_string(i))));
    statements.on_confirmed();
    ASSERT_EQ(statements.unconfirmed(), 1u);
  }
  statements.on_skipped();
  EXPECT_EQ(query_of(statements, ""), "998");
}

TEST(ClientStatements, KeepsTheCallersFacts) {
  ClientStatements statements;
  ClientStatement statement = text("one");
  statement.facts = std::make_shared<const int>(42);
  ASSERT_TRUE(statements.define("s1", statement));
  EXPECT_EQ(*static_cast<const int*>(statements.find("s1")->facts.get()), 42);
}

}  // namespace
}  // namespace fairlead::core
