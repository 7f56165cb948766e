#include "wire/printable.h"

#include <gtest/gtest.h>

namespace fairlead::wire {
namespace {

using namespace std::string_view_literals;

TEST(Printable, LeavesReadableTextAlone) {
  EXPECT_EQ(printable(""), "");
  EXPECT_EQ(printable("ada@example 'x' \\ \"y\""), "ada@example 'x' \\ \"y\"");
  EXPECT_EQ(printable("Jürgen 李 🚢"), "Jürgen 李 🚢");
}

TEST(Printable, EscapesWhatCouldForgeALogLineOrDriveATerminal) {
  EXPECT_EQ(printable("a\nERROR\r\t\x1b[31m\x7f"), "a\\x0aERROR\\x0d\\x09\\x1b[31m\\x7f");
  EXPECT_EQ(printable("a\0b"sv), "a\\x00b");
  EXPECT_EQ(printable("\u009b31m"), "\\xc2\\x9b31m") << "CSI in one character";
  EXPECT_EQ(printable("a\u202eb"), "a\\xe2\\x80\\xaeb") << "turns the direction of writing";
  EXPECT_EQ(printable("a\u2028b"), "a\\xe2\\x80\\xa8b") << "ends a line";
}

TEST(Printable, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "above U+10FFFF";
  EXPECT_EQ(printable("\xe6\x9d"), "\\xe6\\x9d") << "cut short";
  EXPECT_EQ(printable("\x80z"), "\\x80z") << "a continuation alone";
}

TEST(Printable, NeverExceedsItsLimitNorCutsACharacter) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdefg", 6), "abc...");
  EXPECT_EQ(printable("ab李x", 6), "ab李x");
  EXPECT_EQ(printable("ab李xy", 6), "ab...");
  EXPECT_EQ(printable("\n\n\n", 8), "\\x0a...");
  EXPECT_EQ(printable("abc", 2), "..");
  EXPECT_EQ(printable("abc", 0), "");
}

TEST(Utf8Prefix, EndsBeforeTheFirstByteThatIsNoUtf8) {
  EXPECT_EQ(utf8_prefix(""), 0u);
  EXPECT_EQ(utf8_prefix("caf\xc3\xa9"), 5u);
  EXPECT_EQ(utf8_prefix("ab\xc3("), 2u);
  EXPECT_EQ(utf8_prefix("ab\xc3"), 2u);        // Cut off.
  EXPECT_EQ(utf8_prefix("\xed\xa0\x80"), 0u);  // A surrogate.
  EXPECT_EQ(utf8_prefix("\xc0\x80"), 0u);      // Overlong.
}

}  // namespace
}  // namespace fairlead::wire
