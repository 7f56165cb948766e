#include "sql/aliases.h"

#include <gtest/gtest.h>

#include "sql/classify.h"

namespace fairlead::sql {
namespace {

std::optional<std::string> translated(std::string_view text) {
  return translate_command(text, LexOptions{});
}

TEST(Aliases, SpeakPgcatsCommands) {
  EXPECT_EQ(translated("SET SERVER ROLE TO 'primary'"), "SET fairlead.route = 'primary'");
  EXPECT_EQ(translated("set server role = 'replica';"), "SET fairlead.route = 'replica'");
  EXPECT_EQ(translated("/* x */ SET SERVER ROLE TO 'any'"), "SET fairlead.route = 'auto'");
  EXPECT_EQ(translated("SET SERVER ROLE TO 'default'"), "RESET fairlead.route");
  EXPECT_EQ(translated("SHOW SERVER ROLE"), "SHOW fairlead.route");
}

TEST(Aliases, LeaveEverythingElseToTheServer) {
  for (const std::string_view text :
       {"", "SET SERVER ROLE TO 'both'", "SET SERVER ROLE TO",
        "SET SERVER ROLE TO 'primary'; SELECT 1", "SELECT 'SET SERVER ROLE TO ''primary'''",
        "SET ROLE primary", "SHOW SERVER ROLE 1", "SET SERVER ROLE TO 'primary"}) {
    EXPECT_EQ(translated(text), std::nullopt) << text;
  }
}

TEST(Aliases, AreFactsLikeOurOwnWords) {
  EXPECT_EQ(classify("SET SERVER ROLE TO 'replica'").variables,
            classify("SET fairlead.route = 'replica'").variables);
  EXPECT_EQ(classify("SET LOCAL pgdog.role TO 'primary'").variables,
            classify("SET LOCAL fairlead.route TO 'primary'").variables);
  EXPECT_EQ(classify("RESET pgdog.role").variables, classify("RESET fairlead.route").variables);
  EXPECT_EQ(classify("SHOW SERVER ROLE").show, "fairlead.route");
  EXPECT_EQ(classify("SHOW pgdog.role").show, "fairlead.route");
  EXPECT_EQ(classify("SET SERVER ROLE TO 'both'").reason, Reason::kParseError);
}

}  // namespace
}  // namespace fairlead::sql
