#include "auth/saslprep.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::auth {
namespace {

std::string prepared(std::string_view password) { return std::string(saslprep(password).view()); }

TEST(Saslprep, LeavesPureAsciiAlone) {
  EXPECT_EQ(prepared(""), "");
  EXPECT_EQ(prepared("pencil"), "pencil");
  EXPECT_EQ(prepared("with\tcontrol \x7F"),
            "with\tcontrol \x7F");  // As PostgreSQL: not even looked at.
}

TEST(Saslprep, MapsAndNormalisesAsTheExamplesOfRfc4013) {
  EXPECT_EQ(prepared("I\xC2\xADX"), "IX");                         // Soft hyphen: to nothing.
  EXPECT_EQ(prepared("\xC2\xAA"), "a");                            // Feminine ordinal: NFKC.
  EXPECT_EQ(prepared("\xE2\x85\xA8"), "IX");                       // Roman numeral nine: NFKC.
  EXPECT_EQ(prepared("a\xC2\xA0z"), "a z");                        // No-break space: to a space.
  EXPECT_EQ(prepared("u\xCC\x88\x62\x65r"), "\xC3\xBC\x62\x65r");  // u and diaeresis: composed.
  EXPECT_EQ(prepared("\xC3\xBC\x62\x65r"), "\xC3\xBC\x62\x65r");   // Composed already.
}

TEST(Saslprep, UsesRawWhatItCannotPrepare) {
  for (const std::string password : {
           "\xFF\xFEnot utf-8", "cut \xC3", "\xC0\x80overlong", "\xED\xA0\x80surrogate",
           "\xC3\xBC\x07",            // A control sign beside a non-ASCII character.
           "\xD8\xA7\x31",            // Begins right to left and does not end so (bidi).
           "\xF0\x9F\x98\x80 smile",  // Unassigned in Unicode 3.2.
           "\xC2\xAD",                // Nothing would be left.
       }) {
    EXPECT_EQ(prepared(password), password);
  }
}

TEST(Saslprep, HoldsTheCharacterThatGrowsMost) {
  // U+FDFA becomes 18 characters, 33 bytes. Right to left throughout, so it is allowed.
  std::string many;
  for (int i = 0; i < 100; ++i) many += "\xEF\xB7\xBA";
  EXPECT_EQ(prepared(many).size(), 3300U);
}

TEST(Saslprep, UsesRawWhatIsTooLongOrHoldsAZero) {
  const std::string too_long = std::string(kPasswordBytesMax, 'x') + "\xC2\xAD";
  EXPECT_EQ(prepared(too_long), too_long);
  const std::string zero("\xC2\xAD\0x", 4);
  EXPECT_EQ(prepared(zero), zero);
}

}  // namespace
}  // namespace fairlead::auth
