#include "base/one_line.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

TEST(OneLine, LeavesNoControlByte) {
  EXPECT_EQ(one_line("a\nb\r\x1b[2J\x7f\t"), "a\\x0ab\\x0d\\x1b[2J\\x7f\\x09");
  EXPECT_EQ(one_line(std::string_view("\0", 1)), "\\x00");
}

TEST(OneLine, LeavesEverythingElseAsItIs) {
  EXPECT_EQ(one_line("\u017elut\u00fd \"k\u016f\u0148\" \\ 100 %"),
            "\u017elut\u00fd \"k\u016f\u0148\" \\ 100 %");
}

}  // namespace
}  // namespace fairlead
