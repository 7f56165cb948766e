#include "auth/mock_key.h"

#include <gtest/gtest.h>

namespace fairlead::auth {
namespace {

UsersFile users(std::string_view text) { return parse_users_file(text).value(); }

TEST(MockKey, IsTheSameForTheSameUsersHoweverTheFileIsWritten) {  // F12
  const MockKey key = mock_key_of(users("\"ann\" \"pencil\"\n\"bob\" \"crayon\"\n"));
  EXPECT_EQ(mock_key_of(users("; a comment\n\"bob\"  \"crayon\"\n\"ann\" \"pencil\"")), key);
  EXPECT_NE(key, MockKey{});
}

TEST(MockKey, DependsOnEveryNameAndEverySecret) {  // F12
  const MockKey key = mock_key_of(users("\"ann\" \"pencil\"\n\"bob\" \"crayon\""));
  for (const std::string_view other :
       {"\"ann\" \"pencil\"", "\"ann\" \"pencil\"\n\"bob\" \"crayons\"",
        "\"ann\" \"pencils\"\n\"bob\" \"crayon\"", "\"anna\" \"pencil\"\n\"bob\" \"crayon\"",
        "\"ann\" \"pencilbobcrayon\""}) {
    EXPECT_NE(mock_key_of(users(other)), key) << other;
  }
}

TEST(MockKey, OfRandomBytesDependsOnThemAlone) {  // F12
  EXPECT_EQ(mock_key_of("0123456789"), mock_key_of("0123456789"));
  EXPECT_NE(mock_key_of("0123456789"), mock_key_of("0123456780"));
}

TEST(MockKey, OfNobodyHidesNothing) { EXPECT_EQ(mock_key_of(UsersFile{}), MockKey{}); }

}  // namespace
}  // namespace fairlead::auth
