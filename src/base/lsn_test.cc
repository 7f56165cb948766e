#include "base/lsn.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

TEST(Lsn, ReadsWhatItPrints) {
  for (const char* text : {"0/0", "0/1", "16/B374D848", "FFFFFFFF/FFFFFFFF"}) {
    ASSERT_TRUE(Lsn::parse(text)) << text;
    EXPECT_EQ(Lsn::parse(text)->to_string(), text);
  }
}

TEST(Lsn, ComparesAsANumberAndNotAsText) {  // D26
  EXPECT_LT(*Lsn::parse("9/0"), *Lsn::parse("10/0"));
  EXPECT_LT(*Lsn::parse("0/FFFFFFFF"), *Lsn::parse("1/0"));
}

TEST(Lsn, RefusesEverythingElse) {
  for (const char* text : {"", "/", "1", "1/", "/1", "x/1", "1/x", "1/2/3", " 1/2", "1/2 ", "-1/2",
                           "123456789/0", "0x1/2"}) {
    EXPECT_FALSE(Lsn::parse(text)) << text;
  }
}

}  // namespace
}  // namespace fairlead
