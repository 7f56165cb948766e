#include "wire/startup.h"

#include <gtest/gtest.h>

#include <array>

#include "wire/backend.h"
#include "wire/backend_encode.h"
#include "wire/decode_testing.h"
#include "wire/startup_options.h"

namespace fairlead::wire {
namespace {

using namespace std::string_view_literals;
using Settings = std::vector<std::pair<std::string, std::string>>;

std::string packet(std::initializer_list<Parameter> parameters, uint16_t minor = 0) {
  std::string out;
  append_startup_message(out, minor, std::vector<Parameter>(parameters));
  return out;
}

std::string_view after_length(std::string_view packet) { return packet.substr(4); }

Result<StartupMessage> decode_message(std::string_view packet) {
  const Result<StartupPacket> decoded = decode_startup(after_length(packet));
  if (!decoded) return std::unexpected(decoded.error());
  return std::get<StartupMessage>(*decoded);
}

TEST(StartupLength, WaitsForFourBytesAndThenKnows) {
  const std::string bytes = packet({{"user", "ada"}});
  for (size_t size = 0; size < 4; ++size)
    EXPECT_EQ(*startup_length(bytes.substr(0, size)), std::optional<size_t>{});
  for (size_t size = 4; size <= bytes.size(); ++size)
    EXPECT_EQ(*startup_length(bytes.substr(0, size)), std::optional(bytes.size()));
}

TEST(StartupLength, RefusesWhatNoStartupPacketHas) {  // F4
  EXPECT_FALSE(startup_length("\0\0\0\x07"sv));
  EXPECT_TRUE(startup_length("\0\0\0\x08"sv));
  EXPECT_TRUE(startup_length("\0\0\x27\x14"sv)) << "10,000 bytes after the length (F4)";
  EXPECT_FALSE(startup_length("\0\0\x27\x15"sv));
  EXPECT_FALSE(startup_length("GET / HTTP/1.1\r\n"sv));
  EXPECT_FALSE(startup_length("\xff\xff\xff\xff"sv));
}

TEST(StartupMessage, RoundTrips) {
  const std::string bytes = packet(
      {{"user", "ada"}, {"application_name", ""}, {"_pq_.test", "1"}, {"database", "shop"}}, 2);
  const Result<StartupMessage> message = decode_message(bytes);
  ASSERT_TRUE(message);
  EXPECT_EQ(*message,
            (StartupMessage{
                .minor = 2,
                .parameters = {{"user", "ada"}, {"application_name", ""}, {"database", "shop"}},
                .protocol_options = {{"_pq_.test", "1"}}}));
  EXPECT_EQ(message->user(), "ada");
  EXPECT_EQ(message->database(), "shop");
  EXPECT_EQ(message->find("application_name"), "");
  EXPECT_EQ(message->find("absent"), std::nullopt);
}

TEST(StartupMessage, AcceptsEveryMinorVersionToBeNegotiated) {  // F1
  for (const uint16_t minor : std::to_array<uint16_t>({0, 1, 2, 9999, 65535}))
    EXPECT_EQ(decode_message(packet({{"user", "ada"}}, minor))->minor, minor);
}

TEST(StartupMessage, TakesTheUserForTheDatabase) {  // F4
  EXPECT_EQ(decode_message(packet({{"user", "ada"}}))->database(), "ada");
  EXPECT_EQ(decode_message(packet({{"user", "ada"}, {"database", ""}}))->database(), "ada");
}

TEST(StartupMessage, TakesTheLastOfTwoValuesAsPostgresqlDoes) {
  EXPECT_EQ(decode_message(packet({{"user", "ada"}, {"user", "bob"}}))->user(), "bob");
}

TEST(StartupMessage, KeepsForeignBytesInNames) {
  EXPECT_EQ(decode_message(packet({{"user", "\xff\x01\n'"}}))->user(), "\xff\x01\n'");
}

TEST(StartupMessage, EveryTruncationIsAnError) {
  const std::string bytes = packet({{"user", "ada"}, {"options", "-c a=b"}, {"_pq_.x", ""}});
  expect_exact(after_length(bytes), [](std::string_view body) { return decode_startup(body); });
}

TEST(StartupMessage, NeedsAUser) {  // F4
  for (const std::string& bytes : {packet({}), packet({{"user", ""}}), packet({{"database", "d"}})})
    EXPECT_EQ(decode_message(bytes).error().code, ErrorCode::kInvalidAuthorization);
}

TEST(StartupMessage, RefusesOtherMajorVersions) {
  for (const std::string_view version : {"\0\2\0\0"sv, "\0\4\0\0"sv, "\0\0\0\0"sv}) {
    const Result<StartupPacket> decoded = decode_startup(std::string(version) + "user\0ada\0\0");
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, ErrorCode::kFeatureNotSupported);
  }
  EXPECT_EQ(decode_startup("\0\2\0\1"sv).error().message,
            "unsupported frontend protocol 2.1: server supports 3.0 to 3.2");
}

TEST(StartupMessage, FindsReplicationInEverySpelling) {  // F4
  const auto replication = [](std::string_view value) {
    return decode_message(packet({{"user", "ada"}, {"replication", value}}))->replication();
  };
  EXPECT_EQ(decode_message(packet({{"user", "ada"}}))->replication(), Replication::kNone);
  for (const auto value : {"true", "TRUE", "t", "tr", "on", "1", "yes", "y", "Yes"})
    EXPECT_EQ(replication(value), Replication::kPhysical) << value;
  for (const auto value : {"false", "off", "of", "0", "no", "n", "f"})
    EXPECT_EQ(replication(value), Replication::kNone) << value;
  EXPECT_EQ(replication("database"), Replication::kLogical);
  for (const auto value : {"", "o", "maybe", "Database", "trueish", "11"})
    EXPECT_EQ(replication(value).error().code, ErrorCode::kInvalidParameterValue) << value;
}

TEST(StartupRequests, RoundTrip) {
  std::string bytes;
  append_ssl_request(bytes);
  EXPECT_EQ(bytes, "\0\0\0\x08\x04\xd2\x16\x2f"sv);
  EXPECT_EQ(decode_startup(after_length(bytes)), StartupPacket(SslRequest{}));
  expect_exact(after_length(bytes), [](std::string_view body) { return decode_startup(body); });

  EXPECT_EQ(decode_startup("\x04\xd2\x16\x30"sv), StartupPacket(GssEncRequest{}));
  expect_exact("\x04\xd2\x16\x30"sv, [](std::string_view body) { return decode_startup(body); });
}

TEST(CancelRequest, RoundTripsWithSecretsOfEveryLength) {
  for (size_t size = 0; size <= 300; ++size) {
    std::string bytes;
    append_cancel_request(bytes, 0x80000001, std::string(size, 'k'));
    const Result<StartupPacket> decoded = decode_startup(after_length(bytes));
    ASSERT_EQ(decoded.has_value(), size >= 4 && size <= 256) << size;
    if (decoded) {
      EXPECT_EQ(std::get<CancelRequest>(*decoded).pid, 0x80000001);
      EXPECT_EQ(std::get<CancelRequest>(*decoded).secret.size(), size);
    }
  }
}

TEST(CancelRequest, EveryTruncationOfTheShortestIsAnError) {
  std::string bytes;
  append_cancel_request(bytes, 7, "keys");
  for (size_t size = 0; size < bytes.size() - 4; ++size)
    EXPECT_FALSE(decode_startup(after_length(bytes).substr(0, size))) << size;
}

TEST(NegotiateProtocolVersion, CarriesTheWholeVersionAndTheUnknownOptions) {  // F1
  std::string bytes;
  const std::string_view names[] = {"_pq_.test_protocol_negotiation", "_pq_.x"};
  append_negotiate_protocol_version(bytes, 2, names);
  EXPECT_EQ(bytes.substr(5, 8), "\0\3\0\2\0\0\0\2"sv);
  const std::string body = body_of(bytes);
  EXPECT_EQ(
      NegotiateProtocolVersion::decode(body),
      (NegotiateProtocolVersion{.major = 3, .minor = 2, .unknown_options = {names[0], names[1]}}));
  expect_exact(body, NegotiateProtocolVersion::decode);
  EXPECT_FALSE(NegotiateProtocolVersion::decode("\0\3\0\2\xff\xff\xff\xff"sv)) << "absurd count";
}

TEST(StartupOptions, ReadsSettingsAsPostgresqlDoes) {  // C8
  EXPECT_EQ(parse_options(""), Settings{});
  EXPECT_EQ(parse_options("  \t\n"), Settings{});
  EXPECT_EQ(parse_options("-c geqo=off"), (Settings{{"geqo", "off"}}));
  EXPECT_EQ(parse_options("  -cgeqo=off   --work-mem=4MB "),
            (Settings{{"geqo", "off"}, {"work_mem", "4MB"}}));
  EXPECT_EQ(parse_options("-c fairlead.route=replica -c app.x="),
            (Settings{{"fairlead.route", "replica"}, {"app.x", ""}}));
  EXPECT_EQ(parse_options("-c a=b=c"), (Settings{{"a", "b=c"}})) << "the first = divides";
}

TEST(StartupOptions, TakesTheCharacterAfterABackslashAsItIs) {
  EXPECT_EQ(parse_options(R"(-c search_path=a,\ b)"), (Settings{{"search_path", "a, b"}}));
  EXPECT_EQ(parse_options(R"(-c a=\\b\-)"), (Settings{{"a", R"(\b-)"}}));
  EXPECT_EQ(parse_options(R"(-c a=b\)"), (Settings{{"a", "b"}})) << "escapes nothing";
}

TEST(StartupOptions, RefusesWhatItDoesNotUnderstand) {
  for (const auto options : {"-c", "-c a", "--a", "-c =b", "--", "-", "a=b", "-S 64", "-e", "\\",
                             "-c a=b stray", "-d 5", "--=x"})
    EXPECT_EQ(parse_options(options).error().code, ErrorCode::kSyntaxError) << options;
}

}  // namespace
}  // namespace fairlead::wire
