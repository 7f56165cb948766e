#include "auth/secret.h"

#include <gtest/gtest.h>

#include <string>

#include "auth/saslprep.h"

namespace fairlead::auth {
namespace {

TEST(Secret, TellsTheFormsApartAsPostgresqlDoes) {
  EXPECT_EQ(parse_secret("").value(), Secret(NoPassword{}));
  // Not md5 secrets, though they begin like one.
  for (const std::string text : {"pencil", "md5 is weak", "md50123456789ABCDEF0123456789ABCDEF",
                                 "scram-sha-256$", "SCRAM-SHA-256"}) {
    EXPECT_EQ(parse_secret(text).value(), Secret(PlainPassword{SecretText(text)})) << text;
  }
  EXPECT_TRUE(std::holds_alternative<Md5Secret>(
      parse_secret("md50123456789abcdef0123456789abcdef").value()));
  const ScramVerifier verifier = ScramVerifier::derive("pencil", "salt", 1);
  EXPECT_EQ(parse_secret(verifier.to_string()).value(), Secret(verifier));
}

TEST(Secret, ADamagedVerifierIsAnErrorAndNotAPassword) {
  EXPECT_FALSE(parse_secret("SCRAM-SHA-256$4096:c2FsdA=="));
}

TEST(Secret, HasALimitAndTakesNoZero) {
  EXPECT_TRUE(parse_secret(std::string(kPasswordBytesMax, 'x')));
  EXPECT_EQ(parse_secret(std::string(kPasswordBytesMax + 1, 'x')).error().code,
            ErrorCode::kLimitExceeded);
  EXPECT_FALSE(parse_secret(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace fairlead::auth
