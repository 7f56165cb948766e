#include "console/statement.h"

#include <gmock/gmock.h>

namespace fairlead::console {
namespace {

using Kind = Statement::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Statement show(View view) { return {.kind = Kind::kShow, .view = view}; }

std::vector<Statement> parsed(std::string_view text) {
  auto statements = parse(text);
  EXPECT_TRUE(statements.has_value()) << text << ": " << describe(statements.error());
  return statements ? *statements : std::vector<Statement>{};
}

Error refused(std::string_view text) {
  auto statements = parse(text);
  EXPECT_FALSE(statements.has_value()) << text;
  return statements ? Error{} : statements.error();
}

}  // namespace

TEST(ConsoleStatement, EveryViewIsShownByItsNameInAnyCase) {
  for (const ViewRow& view : views()) {
    EXPECT_THAT(parsed("SHOW " + std::string(view.name)), ElementsAre(show(view.view)));
    EXPECT_FALSE(view.description.empty());
  }
  EXPECT_THAT(parsed("sHoW RoUtEs"), ElementsAre(show(View::kRoutes)));
}

TEST(ConsoleStatement, CommentsBlanksAndSemicolonsStandBetween) {
  EXPECT_THAT(parsed(" /* a */ show -- b\n pins ;; SHOW routes;"),
              ElementsAre(show(View::kPins), show(View::kRoutes)));
  EXPECT_THAT(parsed(""), IsEmpty());
  EXPECT_THAT(parsed(" ; -- nothing"), IsEmpty());
}

TEST(ConsoleStatement, WhatDriversSendOnTheirOwnIsTaken) {
  EXPECT_THAT(parsed("BEGIN"), ElementsAre(Statement{.kind = Kind::kBegin}));
  EXPECT_THAT(parsed("START TRANSACTION READ ONLY"), ElementsAre(Statement{.kind = Kind::kBegin}));
  EXPECT_THAT(parsed("COMMIT; ROLLBACK"),
              ElementsAre(Statement{.kind = Kind::kCommit}, Statement{.kind = Kind::kRollback}));
  for (const char* text :
       {"SET extra_float_digits = 3", "set session DateStyle to 'ISO'", "SET TIME ZONE 'UTC'"})
    EXPECT_THAT(parsed(text), ElementsAre(Statement{.kind = Kind::kSet})) << text;
}

TEST(ConsoleStatement, ASettingOfTheProxyIsNotTakenAndForgotten) {
  EXPECT_EQ(refused("SET pool_size = 5").code, ErrorCode::kSyntaxError);
}

TEST(ConsoleStatement, AnUnknownCommandNamesTheNearestAndAll) {
  const Error error = refused("SHOW ROUTE");
  EXPECT_EQ(error.code, ErrorCode::kSyntaxError);
  EXPECT_EQ(error.message, "unknown command: SHOW ROUTE");
  EXPECT_THAT(error.hint, StartsWith("Did you mean SHOW ROUTES? There is: "));
  for (const ViewRow& view : views()) {
    std::string upper;
    for (const char c : view.name) upper.push_back(static_cast<char>(c == '_' ? c : c - 32));
    EXPECT_THAT(error.hint, HasSubstr(" " + upper));
  }
  EXPECT_THAT(refused("pins").hint, StartsWith("Did you mean SHOW PINS?"));
  EXPECT_THAT(refused("SELECT 1").hint, StartsWith("There is: "));
  EXPECT_THAT(refused("SHOW ROUTES please").hint, StartsWith("Did you mean SHOW ROUTES?"));
}

TEST(ConsoleStatement, OneUnknownCommandRefusesTheWholeMessage) {
  EXPECT_EQ(refused("SHOW ROUTES; DROP DATABASE x").code, ErrorCode::kSyntaxError);
}

TEST(ConsoleStatement, ForeignBytesAreShownHarmlessAndShort) {
  const Error error = refused("SHOW \x1b[31m\xff" + std::string(5000, 'x'));
  EXPECT_LT(error.message.size(), 200u);
  EXPECT_EQ(error.message.find('\x1b'), std::string::npos);
}

TEST(ConsoleStatement, AMessageHoldsAsManyStatementsAsAllowed) {
  std::string text;
  for (size_t i = 0; i < kStatementsMax; ++i) text += "SHOW VERSION;";
  EXPECT_EQ(parsed(text).size(), kStatementsMax);
  EXPECT_EQ(refused(text + "SHOW VERSION").code, ErrorCode::kLimitExceeded);
}

}  // namespace fairlead::console
