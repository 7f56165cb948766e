#include "auth/users_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace fairlead::auth {
namespace {

using testing::HasSubstr;
using testing::Not;

const Secret kSecretWord = PlainPassword{SecretText("secret")};

std::string error_of(std::string_view text) {
  const Result<UsersFile> file = parse_users_file(text);
  return file ? "no error" : describe(file.error());
}

TEST(UsersFile, TellsTheThreeFormsOfSecretsApart) {
  const std::string verifier = ScramVerifier::derive("pencil", "saltsaltsaltsalt", 1).to_string();
  const UsersFile file = parse_users_file(
                             "\"ann\" \"secret\"\n"
                             "\"bob\" \"md50123456789abcdef0123456789abcdef\"\n"
                             "\"cat\" \"" +
                             verifier +
                             "\"\n"
                             "\"dan\" \"\"\n")
                             .value();
  EXPECT_EQ(file.size(), 4U);
  EXPECT_EQ(*file.find("ann"), kSecretWord);
  EXPECT_TRUE(std::holds_alternative<Md5Secret>(*file.find("bob")));
  EXPECT_EQ(std::get<ScramVerifier>(*file.find("cat")).to_string(), verifier);
  EXPECT_EQ(*file.find("dan"), Secret(NoPassword{}));
  EXPECT_EQ(file.find("eve"), nullptr);
  EXPECT_EQ(file.find("Ann"), nullptr);
}

TEST(UsersFile, MayBeEmpty) {
  for (const char* text : {"", "\n", "\n\n", "   ", "; nobody", "# nobody\n", "\r\n"})
    EXPECT_EQ(parse_users_file(text).value().size(), 0U) << text;
}

TEST(UsersFile, ReadsTwoQuotesAsOne) {
  const UsersFile file = parse_users_file(R"("o""neill" "se""""cret""")").value();
  ASSERT_NE(file.find("o\"neill"), nullptr);
  EXPECT_EQ(std::get<PlainPassword>(*file.find("o\"neill")).text.view(), "se\"\"cret\"");
}

TEST(UsersFile, TakesBlanksCommentsForeignLineEndsAndFurtherFields) {
  for (const char* text :
       {"\"ann\" \"secret\"", "\"ann\" \"secret\"\r\n", "  \t\"ann\"\t  \"secret\"  "})
    EXPECT_EQ(*parse_users_file(text).value().find("ann"), kSecretWord) << text;
  for (const char* text :
       {"; c\n\"ann\" \"secret\"\n", "  # c\n\n\"ann\" \"secret\" ; c \" c\n",
        "\"ann\" \"secret\" \"\" \"another field\"\n", "\"ann\" \"secret\"# c"}) {
    EXPECT_EQ(*parse_users_file(text).value().find("ann"), kSecretWord) << text;
  }
  // Inside quotes nothing begins a comment.
  EXPECT_NE(parse_users_file("\"a;#\" \"secret\"").value().find("a;#"), nullptr);
}

TEST(UsersFile, NamesLineAndColumnOfWhatItCannotRead) {
  EXPECT_THAT(error_of("ann secret"), HasSubstr("line 1, column 1: a user name in quotes"));
  EXPECT_THAT(error_of("\"a\" \"b\"\n\n  \"ann"),
              HasSubstr("line 3, column 3: the quote has no end"));
  EXPECT_THAT(error_of("\"ann\""), HasSubstr("line 1, column 6: a secret in quotes"));
  // One field with a quote inside, and so no secret at all.
  EXPECT_THAT(error_of("\"ann\"\"secret\""), HasSubstr("line 1, column 14: a secret in quotes"));
  EXPECT_THAT(error_of("\"ann\" secret"), HasSubstr("line 1, column 7: a secret in quotes"));
  EXPECT_THAT(error_of("\"ann\" \"secret"), HasSubstr("line 1, column 7: the quote has no end"));
  EXPECT_THAT(error_of("\"ann\" \"sec\nret\""),
              HasSubstr("line 1, column 7: the quote has no end"));
  EXPECT_THAT(error_of("\"\" \"secret\""), HasSubstr("line 1, column 1: the user name is empty"));
  EXPECT_THAT(error_of("\"ann\" \"se\"cret\""), HasSubstr("line 1, column 11: unexpected text"));
  EXPECT_THAT(error_of("\"ann\" \"secret\" x"), HasSubstr("line 1, column 16: unexpected text"));
  EXPECT_THAT(error_of("\"ann\" \"secret\" \"x"), HasSubstr("line 1, column 16: unexpected text"));
  EXPECT_THAT(error_of("\"ann\" \"SCRAM-SHA-256$4096:x\""),
              HasSubstr("line 1, column 7: malformed"));
  EXPECT_THAT(error_of("\"ann\" \"a\"\n\"bob\" \"b\"\n\"ann\" \"c\""),
              HasSubstr("line 3: user \"ann\" is there already"));
  EXPECT_THAT(error_of(std::string("\"a\0\" \"b\"", 8)), HasSubstr("zero byte"));
  EXPECT_THAT(error_of(std::string("\"a\" \"b\0\"", 8)), HasSubstr("zero byte"));
}

TEST(UsersFile, NeverShowsASecretInAnError) {
  for (const char* text :
       {"\"ann\" \"hunter2", "\"ann\" \"hunter2\"hunter2\"", "\"ann\" hunter2",
        "\"ann\" \"SCRAM-SHA-256$4096:hunter2\"", "hunter2", "\"a\" \"b\"\n\"a\" \"hunter2\""}) {
    EXPECT_THAT(error_of(text), Not(HasSubstr("hunter2"))) << text;
    EXPECT_NE(error_of(text), "no error") << text;
  }
}

TEST(UsersFile, EveryTruncationOfALineIsAnErrorOrNobody) {
  const std::string line = R"("ann" "sec""ret")";
  for (size_t length = 1; length < line.size(); ++length) {
    const Result<UsersFile> file = parse_users_file(line.substr(0, length));
    // `"ann" "sec"` looks whole: nothing marks the end of a secret but its quote.
    EXPECT_EQ(file.has_value(), length == 11) << length;
  }
}

TEST(UsersFile, HasLimits) {
  const auto file_with = [](size_t name, size_t secret) {
    return "\"" + std::string(name, 'n') + "\" \"" + std::string(secret, 's') + "\"";
  };
  EXPECT_TRUE(parse_users_file(file_with(kUserNameBytesMax, 4096)));
  EXPECT_FALSE(parse_users_file(file_with(kUserNameBytesMax + 1, 4096)));
  EXPECT_FALSE(parse_users_file(file_with(kUserNameBytesMax, 4097)));
  EXPECT_EQ(parse_users_file(std::string(kUsersFileBytesMax + 1, '\n')).error().code,
            ErrorCode::kLimitExceeded);

  std::string many;
  for (size_t i = 0; i < kUsersMax; ++i) many += "\"" + std::to_string(i) + "\" \"\"\n";
  EXPECT_EQ(parse_users_file(many).value().size(), kUsersMax);
  EXPECT_EQ(parse_users_file(many + "\"one\" \"\"").error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace fairlead::auth
