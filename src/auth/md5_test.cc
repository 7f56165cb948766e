#include "auth/md5.h"

#include <gtest/gtest.h>

namespace fairlead::auth {
namespace {

TEST(Md5, DerivesWhatPostgresqlStores) {
  // PostgreSQL 15: SET password_encryption = md5; CREATE ROLE md5user PASSWORD 'pencil';
  EXPECT_EQ(Md5Secret::derive("pencil", "md5user").value().text.view(),
            "md50098e7fab7b4d8d091067152a80b3f12");
}

TEST(Md5, AnswersTheSaltAsLibpqDoes) {
  // md5(md5(password + user) + salt), computed with md5sum.
  const Md5Secret secret = Md5Secret::derive("pencil", "md5user").value();
  EXPECT_EQ(md5_response(secret, {'\x01', '\x00', '\xFF', 'z'}).value().view(),
            "md508249bd2e05248affcc793e8b45135a2");
  EXPECT_FALSE(md5_response(secret, {'\x01', '\x00', '\xFF', 'y'}).value() ==
               md5_response(secret, {'\x01', '\x00', '\xFF', 'z'}).value());
}

TEST(Md5, TakesOnlyTheExactFormForASecret) {
  EXPECT_TRUE(is_md5_secret("md50123456789abcdef0123456789abcdef"));
  for (const char* text :
       {"", "md5", "md50123456789abcdef0123456789abcde", "md50123456789abcdef0123456789abcdef0",
        "md50123456789ABCDEF0123456789ABCDEF", "MD50123456789abcdef0123456789abcdef",
        "md5g123456789abcdef0123456789abcdef"}) {
    EXPECT_FALSE(is_md5_secret(text)) << text;
  }
}

TEST(Md5, RefusesASecretThatIsNone) { EXPECT_FALSE(md5_response(Md5Secret{SecretText("m")}, {})); }

}  // namespace
}  // namespace fairlead::auth
