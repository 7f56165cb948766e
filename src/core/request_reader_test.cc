#include "core/request_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "base/bytes.h"

namespace fairlead::core {
namespace {

std::string frame(char type, std::string_view body = {}) {
  std::string out(1, type);
  append_u32(out, static_cast<uint32_t>(body.size() + 4));
  out.append(body);
  return out;
}

using namespace std::string_literals;
const std::string kQuery = frame('Q', "select 1\0"s);
const std::string kParse = frame('P', "\0select 1\0\0\0"s);
const std::string kExecute = frame('E', "\0\0\0\0\0"s);
const std::string kSync = frame('S');

TEST(RequestReader, AQueryIsARequest) {
  RequestReader reader(1000);
  EXPECT_EQ(reader.read(kQuery + kSync), RequestEnd::kQuery);
  EXPECT_EQ(reader.size(), kQuery.size());
  reader.next();
  EXPECT_EQ(reader.read(kSync), RequestEnd::kSync);
}

TEST(RequestReader, ExtendedMessagesUpToSyncAreOneRequest) {  // A5
  RequestReader reader(1000);
  EXPECT_EQ(reader.read(kParse + kExecute + kSync + kQuery), RequestEnd::kSync);
  ASSERT_EQ(reader.messages().size(), 3u);
  EXPECT_EQ(reader.messages()[1].type, 'E');
  EXPECT_EQ(reader.size(), (kParse + kExecute + kSync).size());
}

TEST(RequestReader, OneByteAtATimeEqualsAllAtOnce) {
  const std::string bytes = kParse + kExecute + kSync;
  RequestReader reader(1000);
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(reader.read(std::string_view(bytes).substr(0, size)), RequestEnd::kMore) << size;
  }
  EXPECT_EQ(reader.read(bytes), RequestEnd::kSync);
  EXPECT_EQ(reader.messages().size(), 3u);
}

TEST(RequestReader, AQueryAfterUnsyncedMessagesBelongsToTheirRequest) {  // F24
  RequestReader reader(1000);
  EXPECT_EQ(reader.read(kParse + kQuery), RequestEnd::kQuery);
  EXPECT_EQ(reader.messages().size(), 2u);
}

TEST(RequestReader, ALargeMessageIsGivenAsHeadAndRest) {  // F20
  const std::string big = frame('B', "\0\0"s + std::string(1 << 20, 'x'));
  RequestReader reader(1000);
  const std::string head = big.substr(0, 10'000);
  EXPECT_EQ(reader.read(head), RequestEnd::kOversize);
  EXPECT_FALSE(reader.messages()[0].whole);
  EXPECT_EQ(reader.size(), head.size());
  reader.next();
  std::string rest = big.substr(10'000) + kSync;
  EXPECT_EQ(reader.read(rest), RequestEnd::kRest);
  EXPECT_TRUE(reader.at_boundary());
  rest.erase(0, reader.size());
  reader.next();
  EXPECT_EQ(reader.read(rest), RequestEnd::kSync);
}

TEST(RequestReader, ManySmallMessagesWithoutSyncAreBounded) {
  RequestReader reader(200);
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += kParse;
  EXPECT_EQ(reader.read(bytes), RequestEnd::kOversize);
  EXPECT_LE(reader.size(), 200 + kParse.size());
}

TEST(RequestReader, CopyDataStreamsInPieces) {  // F25
  const std::string data = frame('d', std::string(100'000, 'x'));
  RequestReader reader(1000);
  EXPECT_EQ(reader.read(data.substr(0, 5000)), RequestEnd::kCopy);
  EXPECT_EQ(reader.size(), 5000u);
  EXPECT_FALSE(reader.at_boundary());
  reader.next();
  EXPECT_EQ(reader.read(data.substr(5000) + frame('c') + kSync), RequestEnd::kCopy);
  EXPECT_TRUE(reader.at_boundary());
  EXPECT_EQ(reader.messages().back().type, 'c');
}

TEST(RequestReader, RefusesUnknownTypesPasswordsAndWrongLengths) {
  for (const std::string& bytes :
       {frame('?'), frame('p', "secret\0"s), "S\0\0\0\x05x"s, "Q\0\0\0\x03"s, "\0\0\0\0\0"s}) {
    RequestReader reader(1000);
    const auto end = reader.read(bytes);
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().code, ErrorCode::kProtocolViolation);
  }
}

}  // namespace
}  // namespace fairlead::core
