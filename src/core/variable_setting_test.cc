#include "core/variable_setting.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/variable_names.h"

namespace fairlead::core {
namespace {

/// The value of SET app.x TO `argument`; nullopt when it is unknown.
std::optional<std::string> read(std::string_view argument, bool conforming = true,
                                std::string_view name = "app.x") {
  const Setting setting = Setting::from_argument(
      name, argument, {.standard_conforming_strings = conforming, .client_encoding = "UTF8"});
  if (setting.is_unknown()) return {};
  return setting.text();
}

TEST(SettingArgument, ReadsWhatPostgresqlReads) {
  EXPECT_EQ(read("'text'"), "text");
  EXPECT_EQ(read("'it''s'"), "it's");
  EXPECT_EQ(read("''"), "");
  EXPECT_EQ(read("  On "), "on");
  EXPECT_EQ(read("\"Mixed\"\"Case\""), "Mixed\"Case");
  EXPECT_EQ(read("Word$1_a"), "word$1_a");
  EXPECT_EQ(read("$$a'b\\$$"), "a'b\\");
  EXPECT_EQ(read("$tag$a$$b$tag$"), "a$$b");
  EXPECT_EQ(read("64"), "64");
  EXPECT_EQ(read("-1"), "-1");
  EXPECT_EQ(read("+ 5"), "5");
  EXPECT_EQ(read("1.50"), "1.50");
  EXPECT_EQ(read("1e-3"), "1e-3");
  EXPECT_EQ(read("ISO, MDY", true, "datestyle"), "iso, mdy");
}

TEST(SettingArgument, DropsLeadingZerosThatAStringWouldTakeForOctal) {
  EXPECT_EQ(read("010"), "10");
  EXPECT_EQ(read("000"), "0");
  EXPECT_EQ(read("-007"), "-7");
}

TEST(SettingArgument, ReadsBackslashesByTheRuleInForce) {
  EXPECT_EQ(read("'a\\nb'", true), "a\\nb");
  EXPECT_EQ(read("'a\\nb'", false), "a\nb");
  EXPECT_EQ(read("'a\\''b'", false), std::nullopt);  // The quote is escaped, the next one ends it.
  EXPECT_EQ(read("'a\\''''", false), "a''");
  EXPECT_EQ(read("E'a\\'b\\\\\\x41\\101\\t'"), "a'b\\AA\t");
  EXPECT_EQ(read("e'\\q'"), "q");
}

TEST(SettingArgument, LeavesToTheServerWhatItIsNotCertainAbout) {
  for (const std::string_view argument :
       {"",           " ",           "'open",      "'a' 'b'",
        "'a'\n'b'",   "'a' /* b */", "'a' -- b",   "'a';",
        "'a',",       ", 'a'",       "DEFAULT",    "INTERVAL '-08:00' HOUR TO MINUTE",
        "U&'\\0061'", "u&\"a\"",     "E'\\u0061'", "E'\\xe9'",
        "E'\\351'",   "E'\\0'",      "E'\\",       "E'\\x'",
        "B'1'",       "X'1f'",       "N'a'",       "0x10",
        "1_000",      "1.",          ".5",         "1e",
        "--1",        "- -1",        "1 2",        "\"\"",
        "\"open",     "$1",          "$tag$a",     "$1a$b$1a$",
        "a.b",        "a(b)",        "wörd",       "'a'::text",
        "*",          "\\"}) {
    EXPECT_EQ(read(argument), std::nullopt) << argument;
  }
  EXPECT_EQ(read(std::string(64, 'a')), std::nullopt);
  EXPECT_EQ(read(std::string(63, 'a')), std::string(63, 'a'));
  EXPECT_EQ(read(std::string("'a\0b'", 5)), std::nullopt);
}

TEST(SettingArgument, NeverReadsATruncatedTextAsSomethingElse) {
  const std::string whole = "'a, b', \"C\", $$d$$";
  for (size_t length = 0; length < whole.size(); ++length) {
    const auto value = read(whole.substr(0, length));
    const bool ends_after_an_item = length == 6 || length == 11;
    EXPECT_EQ(value.has_value(), ends_after_an_item) << length;
  }
}

TEST(SettingArgument, QuotesTheItemsOfANameListAsPostgresqlDoes) {
  EXPECT_EQ(read("Tenant_1, \"$user\", 'It''s', 'a\"b', ''", true, "search_path"),
            "tenant_1, \"$user\", \"It's\", \"a\"\"b\", \"\"");
}

TEST(SettingArgument, KeepsTheEncodingOfWhatIsNotAscii) {
  const Setting setting = Setting::from_argument(
      "app.x", "'\xe9'", {.standard_conforming_strings = true, .client_encoding = "LATIN1"});
  EXPECT_EQ(setting.text(), "\xe9");
  EXPECT_EQ(setting.encoding(), "LATIN1");
  EXPECT_EQ(Setting::from_value("plain", "LATIN1").encoding(), "");
}

// The second byte of a character may be a backslash or a quote's neighbour there.
TEST(SettingArgument, DoesNotLexEncodingsWithAsciiInsideCharacters) {
  for (const std::string_view encoding : {"SJIS", "BIG5", "GBK", "GB18030", "UHC", "JOHAB"}) {
    EXPECT_TRUE(
        Setting::from_argument("app.x", "'\x95\\'",
                               {.standard_conforming_strings = false, .client_encoding = encoding})
            .is_unknown());
  }
}

TEST(SettingValue, IsUnknownWhenItCannotBeSent) {
  EXPECT_TRUE(Setting::from_value(std::string_view("a\0b", 3), "UTF8").is_unknown());
  EXPECT_TRUE(Setting::from_value("\xc3\xa9", "UTF8');--").is_unknown());
  EXPECT_TRUE(Setting::from_value("\xc3\xa9", "").is_unknown());
}

TEST(SplitNameList, TakesApartOnlyWhatSetWritesAgain) {
  using Items = std::vector<std::string>;
  EXPECT_EQ(split_name_list("a, b"), (Items{"a", "b"}));
  EXPECT_EQ(split_name_list("\"$user\", public"), (Items{"$user", "public"}));
  EXPECT_EQ(split_name_list("\"a\"\"b\", \"c, d\", \"\""), (Items{"a\"b", "c, d", ""}));
  for (const std::string_view other :
       {"", "a,b", "a , b", " a", "A", "\"a\"", "a,", "a, ", "\"open", "\"a\"b", "\"É\""})
    EXPECT_EQ(split_name_list(other), std::nullopt) << other;
}

TEST(VariableNames, AreKeptInLowerCaseOrNotAtAll) {
  EXPECT_EQ(canonical_variable_name("TimeZone"), "timezone");
  EXPECT_EQ(canonical_variable_name("App.Tenant_1.x$"), "app.tenant_1.x$");
  for (const std::string_view name :
       {"", ".", "a.", ".a", "a..b", "a b", "a\"b", "a;b", "gr\xc3\xb6"})
    EXPECT_EQ(canonical_variable_name(name), std::nullopt) << name;
  EXPECT_TRUE(canonical_variable_name(std::string(kVariableNameMax, 'a')));
  EXPECT_FALSE(canonical_variable_name(std::string(kVariableNameMax + 1, 'a')));
}

TEST(VariableNames, TellWhatIsNeverReplayed) {
  EXPECT_EQ(variable_class("work_mem"), VariableClass::kSession);
  EXPECT_EQ(variable_class("app.tenant"), VariableClass::kSession);
  EXPECT_EQ(variable_class("default_transaction_isolation"), VariableClass::kSession);
  EXPECT_EQ(variable_class("transaction_isolation"), VariableClass::kTransaction);
  EXPECT_EQ(variable_class("transaction_read_only"), VariableClass::kTransaction);
  EXPECT_EQ(variable_class("seed"), VariableClass::kNotState);
  EXPECT_EQ(variable_class("is_superuser"), VariableClass::kFixed);
  EXPECT_EQ(variable_class("server_version"), VariableClass::kFixed);
  EXPECT_EQ(variable_class("log_connections"), VariableClass::kAtLoginOnly);
  EXPECT_EQ(variable_class("fairlead.route"), VariableClass::kProxy);
}

}  // namespace
}  // namespace fairlead::core
