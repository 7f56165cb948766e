#include "auth/scram_verifier.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::auth {
namespace {

const std::string kRoleSalt = base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==").value();

TEST(ScramVerifier, AgreesWithTheExampleOfRfc7677) {
  const ScramLoginKeys keys = ScramLoginKeys::derive("pencil", kRoleSalt, 4096);
  const std::string message =
      "n=user,r=rOprNGfwEbeRWgbNEkqO,"
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const ScramKey signature = hmac_sha256(stored_key_of(keys.client_key).view(), message);
  EXPECT_EQ(base64_encode(exclusive_or(keys.client_key, signature).view()),
            "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  EXPECT_EQ(base64_encode(hmac_sha256(keys.server_key.view(), message).view()),
            "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(ScramVerifier, DerivesWhatPostgresqlStores) {
  // Made by PostgreSQL 15: CREATE ROLE … PASSWORD …; SELECT rolpassword FROM pg_authid.
  struct Case {
    std::string_view password;
    std::string_view stored;
  };
  for (const Case& made :
       {// ASCII
        Case{"pencil",
             "SCRAM-SHA-256$4096:BBZSSGgCxZcUj0Y4kdc0MA==$"
             "O+W4TgLXUP1qtyqWeZdQBSrGVNcfY/"
             "WdDuwPIJl1IIo=:aTCX+aIb2+xeyJGn5wLnndlHP1sL8QDW5S1HFVCAkBs="},
        // composed already
        Case{"\xC3\xBC"
             "ber",
             "SCRAM-SHA-256$4096:0NOyyMX3rj9hBH4lYhA4WQ==$"
             "6Jq45XogTLKUmXokQyZDjk366Kz/"
             "DWXmUQGahniZ3yY=:l6ADFRm0eMU9Nv134nGrTk56d8TIEQqp6cSPaCgYVPs="},
        // composed, mapped to nothing, NFKC
        Case{"u\xCC\x88"
             "ber I\xC2\xADX\xE2\x85\xA8",
             "SCRAM-SHA-256$4096:SGywPxiA6+Ar07ASY43d4Q==$"
             "u43YyoPs/iKhOHOCfJP9KyjhO69RZQ24HkFysbRSC+Y=:vvtFVSrdTFgEqazLSLzyoO/"
             "JFEjZx5mcogIyxjQRUt8="},
        // unassigned: raw
        Case{"\xF0\x9F\x98\x80 smile",
             "SCRAM-SHA-256$4096:Vx90EhlS0V4ZawgQBkl8Zw==$"
             "O3nniQbN/DMH6S9ryr0JuCGi61HQwNG+SGY/8ELnwp8=:gq/dcw76fJyEWL7QQ/"
             "auC8ztXWGHVXNMjmVTY3otftc="},
        // mapped to a space
        Case{"a\xC2\xA0z",
             "SCRAM-SHA-256$4096:B6KH58XhYOddi8bVtDz0Vw==$"
             "4kV+qrWbG8r8HGFbBqH3NCwD9m+fD0yDibbXxxCh6G8=:NCU4wq3jd2AKPZMbfq+"
             "A6BV882APC5Bslh3uOvQkfTc="},
        // bidi: raw
        Case{"\xD8\xA7"
             "1",
             "SCRAM-SHA-256$4096:K3iw0MRIvQ7D605jBBY/5w==$"
             "vbCC0GVIS0mlBAU+6R7JKlLYcZzra2uB8Jh90Q2l++o=:bZ5ciiKFL8Ve2+tc+Cj1HPEhFfLRE1TxY/"
             "VL4mQF6/Q="},
        // nothing left: raw
        Case{"\xC2\xAD",
             "SCRAM-SHA-256$4096:dkCjnpMQm4xUI3b8xvB2Fw==$"
             "2Tc7NN/gjlkIF7UOtBAudKW1DWAj7ZHrM6eDMGtFE/"
             "Q=:wnKwVOT5p0yWZp8Mz5Rn2zQAd45o2tRPU1iAz16FGeA="},
        // grows most
        Case{"\xEF\xB7\xBA\xEF\xB7\xBA",
             "SCRAM-SHA-256$4096:mAkDQdBy8b23dTX84yprTQ==$"
             "YdgDM/FNL+G+dX36/Q/P3RFPu1Nphd/RtP6Z87eFNaA=:5RvZJn2Z4ntuwz7jciDNiOni+/"
             "ExXJ0hDjDF+n0v0wU="}}) {
    const ScramVerifier stored = ScramVerifier::parse(made.stored).value();
    EXPECT_EQ(ScramVerifier::derive(made.password, stored.salt, stored.iterations), stored)
        << made.password;
    EXPECT_EQ(stored.to_string(), made.stored);
  }
}

TEST(ScramVerifier, EveryTruncationIsAnError) {
  const std::string text = ScramVerifier::derive("pencil", kRoleSalt, 1).to_string();
  for (size_t length = 0; length < text.size(); ++length)
    EXPECT_FALSE(ScramVerifier::parse(text.substr(0, length))) << length;
  EXPECT_TRUE(ScramVerifier::parse(text));
}

TEST(ScramVerifier, RefusesWhatPostgresqlWouldNotStore) {
  const std::string keys = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";
  const auto text = [&](std::string_view iterations, std::string_view salt) {
    return "SCRAM-SHA-256$" + std::string(iterations) + ":" + std::string(salt) + "$" + keys + ":" +
           keys;
  };
  EXPECT_TRUE(ScramVerifier::parse(text("2147483647", "c2FsdA==")));
  for (const char* iterations : {"", "0", "-1", "+1", " 1", "1x", "2147483648", "99999999999"})
    EXPECT_FALSE(ScramVerifier::parse(text(iterations, "c2FsdA=="))) << iterations;
  for (const char* salt : {"", "c2FsdA", "!"}) EXPECT_FALSE(ScramVerifier::parse(text("1", salt)));
  EXPECT_FALSE(
      ScramVerifier::parse(text("1", base64_encode(std::string(kScramSaltBytesMax + 1, 's')))));
  EXPECT_TRUE(ScramVerifier::parse(text("1", base64_encode(std::string(kScramSaltBytesMax, 's')))));
  EXPECT_FALSE(ScramVerifier::parse(text("1", "c2FsdA==") + " "));
}

TEST(ScramVerifier, ShowsNothingOfADamagedVerifier) {
  std::string text = ScramVerifier::derive("pencil", kRoleSalt, 1).to_string();
  text.back() = '!';
  EXPECT_EQ(describe(ScramVerifier::parse(text).error()).find(text.substr(20, 8)),
            std::string::npos);
}

TEST(MockSalt, IsTheSameForAUserAndAnotherForEveryOther) {  // F12
  const MockKey key{'k'};
  EXPECT_EQ(mock_salt(key, "ann"), mock_salt(key, "ann"));
  EXPECT_NE(mock_salt(key, "ann"), mock_salt(key, "bob"));
  EXPECT_NE(mock_salt(key, "ann"), mock_salt(MockKey{'l'}, "ann"));
  EXPECT_EQ(mock_salt(key, "ann").size(), kScramSaltBytes);
}

}  // namespace
}  // namespace fairlead::auth
