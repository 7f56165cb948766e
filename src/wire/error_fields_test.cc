#include "wire/error_fields.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "wire/backend_encode.h"
#include "wire/decode_testing.h"

namespace fairlead::wire {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kFromPostgresql =
    "SFEHLER\0VERROR\0C25006\0Mkann INSERT nicht ausführen\0Futility.c\0L414\0"
    "RPreventCommandIfReadOnly\0ZZnew\0\0"sv;

TEST(ErrorFields, ReadsAllFieldsInTheirOrderAlsoUnknownOnes) {
  const Result<ErrorFields> error = ErrorFields::decode(kFromPostgresql);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->fields.size(), 8u);
  EXPECT_EQ(error->fields.back(), (ErrorField{'Z', "Znew"}));
  EXPECT_EQ(error->severity(), "ERROR") << "V, which is not translated";
  EXPECT_EQ(error->sqlstate(), "25006");
  EXPECT_EQ(error->message(), "kann INSERT nicht ausführen");
  EXPECT_EQ(error->routine(), "PreventCommandIfReadOnly");
  EXPECT_EQ(error->field('L'), "414");
  EXPECT_EQ(error->detail(), "");
  EXPECT_FALSE(error->ends_connection());
}

TEST(ErrorFields, EveryTruncationIsAnError) {
  expect_exact(kFromPostgresql, ErrorFields::decode);
  expect_exact("\0"sv, ErrorFields::decode);
}

TEST(ErrorFields, ReadsWhatIsCompleteInAHead) {
  for (size_t size = 0; size <= kFromPostgresql.size(); ++size) {
    const std::string head(kFromPostgresql.substr(0, size));
    const ErrorFields error = ErrorFields::decode_head(head);
    const std::vector<ErrorField> all = ErrorFields::decode(kFromPostgresql)->fields;
    ASSERT_LE(error.fields.size(), all.size());
    EXPECT_TRUE(std::ranges::equal(error.fields, std::span(all).first(error.fields.size())))
        << "no field that was cut, at " << size;
    const bool has_sqlstate = size >= "SFEHLER\0VERROR\0C25006\0"sv.size();
    EXPECT_EQ(error.sqlstate(), has_sqlstate ? "25006" : "") << size;
  }
}

TEST(ErrorFields, TakesTheSeverityOfAnOldServer) {
  EXPECT_TRUE(ErrorFields::decode("SFATAL\0C57P01\0Mx\0\0"sv)->ends_connection());
  EXPECT_TRUE(ErrorFields::decode("SPANIC\0C57P01\0Mx\0\0"sv)->ends_connection());
}

TEST(AppendError, CarriesTheMandatoryFieldsAndNamesFairlead) {
  std::string out;
  append_error(out, Severity::kFatal,
               Error{ErrorCode::kTooManyConnections, "no server", "all 20 are busy", "wait"});
  EXPECT_EQ(out[0], 'E');
  const std::string body = body_of(out);
  EXPECT_EQ(ErrorFields::decode(body), (ErrorFields{{{'S', "FATAL"},
                                                     {'V', "FATAL"},
                                                     {'C', "53300"},
                                                     {'M', "no server"},
                                                     {'D', "all 20 are busy"},
                                                     {'H', "wait"},
                                                     {'R', "fairlead"}}}));
}

TEST(AppendError, LeavesOutWhatIsNotThereButTheMessage) {
  std::string out;
  append_error(out, Severity::kError, "25P02", "");
  const std::string body = body_of(out);
  EXPECT_EQ(body, "SERROR\0VERROR\0C25P02\0M\0Rfairlead\0\0"sv);
}

TEST(AppendError, StaysReadableWithAZeroInItsText) {
  std::string out;
  append_error(out, Severity::kError, "42601", "cut\0VFORGED\0"sv, "d\0x"sv);
  const std::string body = body_of(out);
  const Result<ErrorFields> error = ErrorFields::decode(body);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message(), "cut");
  EXPECT_EQ(error->detail(), "d");
  EXPECT_EQ(error->severity(), "ERROR");
}

TEST(AppendNotice, IsANoticeOfItsOwnSeverity) {
  std::string out;
  append_notice(out, Severity::kNotice, "to replica", "", "", "00000");
  EXPECT_EQ(out[0], 'N');
  const std::string body = body_of(out);
  EXPECT_EQ(ErrorFields::decode(body)->severity(), "NOTICE");
}

}  // namespace
}  // namespace fairlead::wire
