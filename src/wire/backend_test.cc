#include "wire/backend.h"

#include <gtest/gtest.h>

#include "wire/backend_encode.h"
#include "wire/decode_testing.h"

namespace fairlead::wire {
namespace {

using namespace std::string_view_literals;

TEST(Authentication, RoundTripsAndRefusesTruncations) {
  const std::string ok = body_from(append_authentication_ok);
  EXPECT_EQ(Authentication::decode(ok), Authentication{.code = AuthCode::kOk});
  expect_exact(ok, Authentication::decode);

  const std::string cleartext = body_from(append_authentication_cleartext);
  EXPECT_EQ(Authentication::decode(cleartext)->code, AuthCode::kCleartextPassword);
  expect_exact(cleartext, Authentication::decode);

  const std::string md5 =
      body_from([](auto& out) { append_authentication_md5(out, "\0\1\2\3"sv); });
  EXPECT_EQ(Authentication::decode(md5),
            (Authentication{.code = AuthCode::kMd5Password, .payload = "\0\1\2\3"sv}));
  expect_exact(md5, Authentication::decode);
}

TEST(Authentication, ListsSaslMechanisms) {
  const std::string_view names[] = {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};
  const std::string body = body_from([&](auto& out) { append_authentication_sasl(out, names); });
  EXPECT_EQ(Authentication::decode(body)->mechanisms(),
            (std::vector<std::string_view>{names[0], names[1]}));
  expect_exact(body, Authentication::decode);
  EXPECT_FALSE(Authentication::decode("\0\0\0\x0a\0"sv)) << "no mechanism at all";
}

TEST(Authentication, CarriesSaslData) {
  const std::string next =
      body_from([](auto& out) { append_authentication_sasl_continue(out, "r=x,s=y,i=1"); });
  EXPECT_EQ(Authentication::decode(next),
            (Authentication{.code = AuthCode::kSaslContinue, .payload = "r=x,s=y,i=1"}));
  const std::string last =
      body_from([](auto& out) { append_authentication_sasl_final(out, "v=z"); });
  EXPECT_EQ(Authentication::decode(last),
            (Authentication{.code = AuthCode::kSaslFinal, .payload = "v=z"}));
  EXPECT_FALSE(Authentication::decode(last)->mechanisms());
}

TEST(Authentication, KeepsACodeThatItDoesNotKnow) {
  EXPECT_EQ(static_cast<uint32_t>(Authentication::decode("\0\0\0\x63zz"sv)->code), 99u);
}

TEST(ParameterStatus, RoundTripsAndRefusesTruncations) {
  const std::string body =
      body_from([](auto& out) { append_parameter_status(out, "TimeZone", "UTC"); });
  EXPECT_EQ(ParameterStatus::decode(body), (ParameterStatus{.name = "TimeZone", .value = "UTC"}));
  expect_exact(body, ParameterStatus::decode);
}

TEST(BackendKeyData, RoundTripsWithSecretsOfEveryLegalLength) {
  for (const size_t size : {4, 5, 32, 256}) {
    const std::string secret(size, '\xff');
    const std::string body =
        body_from([&](auto& out) { append_backend_key_data(out, 4711, secret); });
    EXPECT_EQ(BackendKeyData::decode(body), (BackendKeyData{.pid = 4711, .secret = secret}));
  }
  EXPECT_FALSE(BackendKeyData::decode(std::string(4 + 257, 'x')));
  for (size_t size = 0; size < 8; ++size)
    EXPECT_FALSE(BackendKeyData::decode(std::string(size, 'x'))) << size;
}

TEST(ReadyForQuery, RoundTripsItsThreeStatesAndNothingElse) {
  for (const TxStatus status : {TxStatus::kIdle, TxStatus::kInTransaction, TxStatus::kFailed}) {
    const std::string body = body_from([&](auto& out) { append_ready_for_query(out, status); });
    EXPECT_EQ(ReadyForQuery::decode(body), ReadyForQuery{status});
    expect_exact(body, ReadyForQuery::decode);
  }
  EXPECT_FALSE(ReadyForQuery::decode("X"));
}

TEST(CommandComplete, RoundTripsAndRefusesTruncations) {
  const std::string body = body_from([](auto& out) { append_command_complete(out, "SELECT 3"); });
  EXPECT_EQ(CommandComplete::decode(body), CommandComplete{"SELECT 3"});
  expect_exact(body, CommandComplete::decode);
}

TEST(CommandComplete, DividesItsTag) {
  struct Case {
    std::string_view tag, command;
    std::optional<uint64_t> rows;
  };
  for (const auto& [tag, command, rows] : {
           Case{"SELECT 3", "SELECT", 3},
           Case{"INSERT 0 5", "INSERT", 5},
           Case{"UPDATE 0", "UPDATE", 0},
           Case{"COPY 18446744073709551615", "COPY", UINT64_MAX},
           Case{"CREATE TABLE", "CREATE TABLE", {}},
           Case{"CREATE TABLE AS 7", "CREATE TABLE AS", 7},
           Case{"COMMIT", "COMMIT", {}},
           Case{"", "", {}},
           Case{"SELECT ", "SELECT ", {}},
           Case{"SELECT -1", "SELECT -1", {}},
           Case{"SELECT 99999999999999999999", "SELECT 99999999999999999999", {}},
       }) {
    EXPECT_EQ(CommandComplete{tag}.command(), command);
    EXPECT_EQ(CommandComplete{tag}.rows(), rows) << tag;
  }
}

TEST(RowDescription, RoundTripsAndRefusesTruncations) {
  const std::string_view names[] = {"target", "", "reason"};
  const std::string body = body_from([&](auto& out) { append_text_row_description(out, names); });
  const Result<RowDescription> description = RowDescription::decode(body);
  ASSERT_TRUE(description);
  ASSERT_EQ(description->columns.size(), 3u);
  EXPECT_EQ(description->columns[2],
            (Column{.name = "reason", .type_oid = 25, .type_size = -1, .type_modifier = -1}));
  expect_exact(body, RowDescription::decode);
  expect_exact("\0\0"sv, RowDescription::decode);
  EXPECT_FALSE(RowDescription::decode("\xff\xff" + std::string(1000, '\0'))) << "absurd count";
}

TEST(DataRow, RoundTripsAndRefusesTruncations) {
  const std::optional<std::string_view> values[] = {"primary", std::nullopt, ""};
  const std::string body = body_from([&](auto& out) { append_text_data_row(out, values); });
  EXPECT_EQ(DataRow::decode(body), (DataRow{.values = {values[0], values[1], values[2]}}));
  expect_exact(body, DataRow::decode);
  EXPECT_FALSE(DataRow::decode("\xff\xff" + std::string(1000, '\0'))) << "absurd count";
  EXPECT_FALSE(DataRow::decode("\0\1\xff\xff\xff\xfe"sv)) << "a value of -2 bytes";
}

TEST(DataRow, ForgetsTheRowBeforeWhenItIsUsedAgain) {
  const std::optional<std::string_view> two[] = {"a", "b"};
  const std::optional<std::string_view> one[] = {"c"};
  const std::string first = body_from([&](auto& out) { append_text_data_row(out, two); });
  const std::string second = body_from([&](auto& out) { append_text_data_row(out, one); });
  DataRow row;
  ASSERT_TRUE(DataRow::decode_into(first, row));
  ASSERT_TRUE(DataRow::decode_into(second, row));
  EXPECT_EQ(row, (DataRow{.values = {"c"}}));
}

TEST(ParameterDescription, RoundTripsAndRefusesTruncations) {
  const uint32_t oids[] = {23, 0xFFFFFFFF};
  const std::string body = body_from([&](auto& out) { append_parameter_description(out, oids); });
  EXPECT_EQ(ParameterDescription::decode(body),
            (ParameterDescription{.type_oids = {23, 0xFFFFFFFF}}));
  expect_exact(body, ParameterDescription::decode);
}

TEST(NotificationResponse, RefusesTruncations) {
  const std::string_view body = "\0\0\0\x2ajobs\0{}\0"sv;
  EXPECT_EQ(NotificationResponse::decode(body),
            (NotificationResponse{.pid = 42, .channel = "jobs", .payload = "{}"}));
  expect_exact(body, NotificationResponse::decode);
}

TEST(CopyResponse, RefusesTruncations) {
  const std::string_view body = "\1\0\2\0\1\0\0"sv;
  EXPECT_EQ(CopyResponse::decode(body),
            (CopyResponse{.binary = true, .column_formats = "\0\1\0\0"sv}));
  expect_exact(body, CopyResponse::decode);
  EXPECT_FALSE(CopyResponse::decode("\2\0\0"sv)) << "neither text nor binary";
}

TEST(BackendEncoders, MakeTheBytesOfTheDocumentation) {
  std::string out;
  append_parse_complete(out);
  append_bind_complete(out);
  append_close_complete(out);
  append_no_data(out);
  append_empty_query_response(out);
  append_portal_suspended(out);
  EXPECT_EQ(out,
            "1\0\0\0\4"
            "2\0\0\0\4"
            "3\0\0\0\4n\0\0\0\4I\0\0\0\4s\0\0\0\4"sv);
}

}  // namespace
}  // namespace fairlead::wire
