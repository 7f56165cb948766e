#include "auth/crypto.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::auth {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    text.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return text;
}

TEST(Crypto, Sha256HmacAndPbkdf2AgreeWithPublishedVectors) {
  // FIPS 180-2; RFC 4231 test case 2; RFC 7914 section 11.
  EXPECT_EQ(hex(sha256("abc").view()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?").view()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(pbkdf2_sha256("passwd", "salt", 1).view()),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
}

TEST(Crypto, EmptyInputsAreInputsToo) {
  EXPECT_EQ(hex(sha256({}).view()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(hmac_sha256({}, {}).view()),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  EXPECT_EQ(md5_hex({}).value(), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(pbkdf2_sha256({}, {}, 1), pbkdf2_sha256("", "", 1));
}

TEST(Crypto, Md5AgreesWithRfc1321) {
  EXPECT_EQ(md5_hex("message digest").value(), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(Crypto, ComparesContentsAndLengths) {
  EXPECT_TRUE(equal_in_constant_time("", std::string_view{}));
  EXPECT_TRUE(equal_in_constant_time("secret", "secret"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secreT"));
  EXPECT_FALSE(equal_in_constant_time("secret", "secret "));
}

TEST(Base64, ReadsWhatItWritesForEveryLength) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(base64_decode(base64_encode(bytes)).value(), bytes) << i;
    bytes.push_back(static_cast<char>(i * 7 + 3));
  }
}

TEST(Base64, AgreesWithRfc4648) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foo"), "Zm9v");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
}

TEST(Base64, HasOneSpellingForEachValue) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "====", "=", "Z===",
                           "Zg==Zg==", "Zm 9", "Zm9v\n", " Zm9v", "Zm-_", "Zm9v====", "Z=g="}) {
    EXPECT_FALSE(base64_decode(text)) << text;
  }
  EXPECT_FALSE(base64_decode(std::string_view("Zm\0v", 4)));
}

TEST(SecretText, IsEmptyAfterItWasMovedFrom) {
  for (const std::string& text : {std::string("short"), std::string(200, 'x')}) {
    SecretText first(text);
    SecretText second(std::move(first));
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): what is tested.
    EXPECT_EQ(second.view(), text);
    SecretText third;
    third = std::move(second);
    EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(third.view(), text);
  }
}

TEST(SecretText, OverwritesWhatItHeld) {
  SecretText secret("correct horse battery staple, all of it");
  const char* const memory = secret.view().data();
  const std::string before(memory, 8);
  secret.clear();
  // The buffer is still the string's own: clear() keeps its capacity.
  EXPECT_NE(std::string(memory, 8), before);
}

}  // namespace
}  // namespace fairlead::auth
