#include "app/terminal.h"

#include <gtest/gtest.h>

#include "app/environment_testing.h"

namespace fairlead::app {
namespace {

TEST(WantsColour, OnlyOnATerminalThatHasIt) {
  EXPECT_TRUE(wants_colour(true, environment_of({{"TERM", "xterm"}})));
  EXPECT_FALSE(wants_colour(false, environment_of({{"TERM", "xterm"}})));
  EXPECT_FALSE(wants_colour(true, environment_of({{"TERM", "dumb"}})));
  EXPECT_FALSE(wants_colour(true, environment_of({})));
}

TEST(WantsColour, NoColorBeatsForceBeatsTheTerminal) {
  EXPECT_FALSE(wants_colour(true, environment_of({{"NO_COLOR", "1"}, {"CLICOLOR_FORCE", "1"}})));
  EXPECT_TRUE(wants_colour(false, environment_of({{"CLICOLOR_FORCE", "1"}})));
  EXPECT_FALSE(wants_colour(false, environment_of({{"CLICOLOR_FORCE", "0"}})));
}

TEST(ErrorText, SaysWhatThenWhyThenWhatNext) {
  const Error error{ErrorCode::kIo, "cannot read x", "No such file", "check -c"};
  EXPECT_EQ(error_text(error, Style(false)),
            "error: cannot read x\n  why:  No such file\n  next: check -c\n");
  EXPECT_EQ(error_text({ErrorCode::kIo, "cannot read x"}, Style(true)),
            "\x1b[31merror:\x1b[0m cannot read x\n");
}

}  // namespace
}  // namespace fairlead::app
