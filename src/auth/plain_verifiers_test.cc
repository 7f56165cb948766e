#include "auth/plain_verifiers.h"

#include <gtest/gtest.h>

namespace fairlead::auth {
namespace {

const MockKey kKey{'k'};

PlainPassword plain(std::string_view text) { return {SecretText(text)}; }

TEST(PlainVerifiers, DeriveWhatAMockExchangeWouldShow) {  // F12
  PlainVerifiers verifiers;
  EXPECT_EQ(verifiers.find_or_derive("ann", plain("pencil"), kKey),
            ScramVerifier::derive("pencil", mock_salt(kKey, "ann"), kScramIterationsDefault));
}

TEST(PlainVerifiers, AreDerivedOnceForEachUser) {
  PlainVerifiers verifiers;
  for (int i = 0; i < 3; ++i) {
    verifiers.find_or_derive("ann", plain("pencil"), kKey);
    verifiers.find_or_derive("bob", plain("pencil"), kKey);
  }
  EXPECT_EQ(verifiers.derived_total(), 2u);
}

TEST(PlainVerifiers, OfUsersWhoAreGoneAreForgotten) {
  PlainVerifiers verifiers;
  verifiers.find_or_derive("ann", plain("pencil"), kKey);
  verifiers.find_or_derive("bob", plain("pencil"), kKey);
  verifiers.forget_all_but(parse_users_file("\"ann\" \"pencil\"").value());
  verifiers.find_or_derive("ann", plain("pencil"), kKey);
  EXPECT_EQ(verifiers.derived_total(), 2u);
  verifiers.find_or_derive("bob", plain("pencil"), kKey);
  EXPECT_EQ(verifiers.derived_total(), 3u);
}

}  // namespace
}  // namespace fairlead::auth
