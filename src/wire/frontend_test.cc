#include "wire/frontend.h"

#include <gtest/gtest.h>

#include "wire/decode_testing.h"
#include "wire/frontend_encode.h"

namespace fairlead::wire {
namespace {

using namespace std::string_view_literals;

TEST(Query, RoundTripsAndRefusesTruncations) {
  const std::string body = body_from([](auto& out) { append_query(out, "select 'ä'; select 2"); });
  EXPECT_EQ(Query::decode(body), Query{"select 'ä'; select 2"});
  expect_exact(body, Query::decode);
  EXPECT_FALSE(Query::decode("select 1\0; drop\0"sv)) << "a zero inside";
}

TEST(Parse, RoundTripsAndRefusesTruncations) {
  const uint32_t oids[] = {23, 0};
  const std::string body =
      body_from([&](auto& out) { append_parse(out, "s1", "select $1, $2", oids); });
  EXPECT_EQ(Parse::decode(body), (Parse{.statement = "s1",
                                        .query = "select $1, $2",
                                        .parameter_oids = "\0\0\0\x17\0\0\0\0"sv}));
  expect_exact(body, Parse::decode);
  EXPECT_FALSE(Parse::decode("\0q\0\xff\xff"sv)) << "a count without its OIDs";
}

TEST(Parse, RefusesANameThatIsTooLong) {
  const auto with_name = [](size_t size) {
    return body_from([&](auto& out) { append_parse(out, std::string(size, 'n'), "select 1"); });
  };
  EXPECT_TRUE(Parse::decode(with_name(kNameMax)));
  EXPECT_EQ(Parse::decode(with_name(kNameMax + 1)).error().code, ErrorCode::kLimitExceeded);
}

// As every other decoder, but including the tail.
Result<BindParameters> decode_all(std::string_view body) {
  const Result<Bind> bind = Bind::decode(body);
  if (!bind) return std::unexpected(bind.error());
  return bind->parameters();
}

TEST(Bind, RoundTripsAndRefusesTruncations) {
  const std::optional<std::string_view> values[] = {"one", std::nullopt, ""};
  const std::string body = body_from([&](auto& out) { append_bind(out, "p", "s", values); });
  const Result<Bind> bind = Bind::decode(body);
  ASSERT_TRUE(bind);
  EXPECT_EQ(bind->portal, "p");
  EXPECT_EQ(bind->statement, "s");
  const Result<BindParameters> parameters = bind->parameters();
  ASSERT_TRUE(parameters);
  EXPECT_EQ(parameters->values, (std::vector<std::optional<std::string_view>>{"one", {}, ""}));
  EXPECT_EQ(parameters->text(0), "one");
  EXPECT_EQ(parameters->text(1), std::nullopt);
  EXPECT_EQ(parameters->text(2), "");
  EXPECT_EQ(parameters->text(3), std::nullopt);
  expect_exact(body, decode_all);
}

TEST(Bind, KnowsWhichParametersAreText) {
  // Three values, the second binary; and one result format for all columns.
  const std::string body("\0s\0\0\3\0\0\0\1\0\0\0\3\0\0\0\1a\0\0\0\1b\0\0\0\1c\0\1\0\1"sv);
  const Result<BindParameters> each = decode_all(body);
  ASSERT_TRUE(each);
  EXPECT_EQ(each->text(0), "a");
  EXPECT_EQ(each->text(1), std::nullopt) << "binary";
  EXPECT_EQ(each->text(2), "c");
  EXPECT_EQ(each->result_formats, "\0\1"sv);
  expect_exact(body, decode_all);

  const Result<BindParameters> all_binary = decode_all("\0\0\0\1\0\1\0\2\0\0\0\1a\0\0\0\1b\0\0"sv);
  ASSERT_TRUE(all_binary);
  EXPECT_FALSE(all_binary->is_text(0));
  EXPECT_FALSE(all_binary->is_text(1));
}

TEST(Bind, RefusesAbsurdCounts) {
  EXPECT_FALSE(decode_all("\0\0\0\0\xff\xff\0\0"sv)) << "65535 values in no bytes";
  EXPECT_FALSE(decode_all("\0\0\0\0\0\1\x7f\xff\xff\xff\0\0"sv)) << "a value of 2 GiB";
  EXPECT_FALSE(decode_all("\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"sv)) << "a value of -2 bytes";
  EXPECT_FALSE(decode_all("\0\0\xff\xff\0\0\0\0"sv)) << "65535 formats in no bytes";
  EXPECT_EQ(decode_all("\0\0\0\2\0\0\0\0\0\1\0\0\0\0\0\0"sv).error().message,
            "bind message has 2 parameter formats but 1 parameters");
}

TEST(DescribeAndClose, RoundTripAndRefuseTruncations) {
  const std::string describe =
      body_from([](auto& out) { append_describe(out, NameKind::kPortal, "p1"); });
  EXPECT_EQ(Describe::decode(describe), (Describe{.kind = NameKind::kPortal, .name = "p1"}));
  expect_exact(describe, Describe::decode);

  const std::string close =
      body_from([](auto& out) { append_close(out, NameKind::kStatement, ""); });
  EXPECT_EQ(Close::decode(close), (Close{.kind = NameKind::kStatement, .name = ""}));
  expect_exact(close, Close::decode);

  EXPECT_FALSE(Describe::decode("Xname\0"sv)) << "neither statement nor portal";
}

TEST(Execute, RoundTripsAndRefusesTruncations) {
  const std::string body = body_from([](auto& out) { append_execute(out, "p", 0x01020304); });
  EXPECT_EQ(Execute::decode(body), (Execute{.portal = "p", .max_rows = 0x01020304}));
  expect_exact(body, Execute::decode);
}

TEST(FunctionCall, TellsItsFunction) {
  const std::string_view body = "\0\0\x04\xd2\0\0\0\0\0\0"sv;
  EXPECT_EQ(FunctionCall::decode(body)->function_oid, 1234u);
  for (size_t size = 0; size < body.size(); ++size)
    EXPECT_FALSE(FunctionCall::decode(body.substr(0, size)));
}

TEST(CopyFail, RoundTripsAndRefusesTruncations) {
  const std::string body = body_from([](auto& out) { append_copy_fail(out, "no more"); });
  EXPECT_EQ(CopyFail::decode(body), CopyFail{"no more"});
  expect_exact(body, CopyFail::decode);
}

TEST(PasswordMessage, RoundTripsAndRefusesTruncations) {
  const std::string body = body_from([](auto& out) { append_password(out, "s3cret"); });
  EXPECT_EQ(PasswordMessage::decode(body)->password, "s3cret");
  expect_exact(body, PasswordMessage::decode);
}

TEST(SaslInitialResponse, TellsNoDataFromEmptyData) {
  for (const std::optional<std::string_view> data :
       {std::optional<std::string_view>{}, std::optional(""sv), std::optional("n,,n=,r=x"sv)}) {
    const std::string body =
        body_from([&](auto& out) { append_sasl_initial_response(out, "SCRAM-SHA-256", data); });
    EXPECT_EQ(SaslInitialResponse::decode(body),
              (SaslInitialResponse{.mechanism = "SCRAM-SHA-256", .data = data}));
    expect_exact(body, SaslInitialResponse::decode);
  }
  EXPECT_FALSE(SaslInitialResponse::decode("m\0\xff\xff\xff\xfe"sv)) << "-2 bytes";
}

TEST(SaslResponse, IsItsWholeBody) {
  const std::string body = body_from([](auto& out) { append_sasl_response(out, "c=biws\0"sv); });
  EXPECT_EQ(SaslResponse::decode(body), SaslResponse{"c=biws\0"sv});
}

TEST(FrontendEncoders, EndTextAtAZeroSoThatNoFieldShifts) {
  const std::string body = body_from([](auto& out) { append_parse(out, "a\0b"sv, "c\0d"sv); });
  EXPECT_EQ(Parse::decode(body), (Parse{.statement = "a", .query = "c", .parameter_oids = ""}));
}

TEST(FrontendEncoders, MakeTheBytesOfTheDocumentation) {
  std::string out;
  append_sync(out);
  append_flush(out);
  append_terminate(out);
  append_copy_done(out);
  append_copy_data(out, "ab");
  EXPECT_EQ(out, "S\0\0\0\4H\0\0\0\4X\0\0\0\4c\0\0\0\4d\0\0\0\6ab"sv);
}

}  // namespace
}  // namespace fairlead::wire
