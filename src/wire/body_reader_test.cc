#include "wire/body_reader.h"

#include <gtest/gtest.h>

#include <string_view>

namespace fairlead::wire {
namespace {

using namespace std::string_view_literals;

TEST(BodyReader, ReadsFieldsInNetworkOrder) {
  BodyReader reader("\x01\x02\x03\xff\xff\xff\xfename\0rest"sv);
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 0x0203);
  EXPECT_EQ(reader.i32(), -2);
  EXPECT_EQ(reader.c_string(), "name");
  EXPECT_FALSE(reader.finished());
  EXPECT_EQ(reader.rest(), "rest");
  EXPECT_TRUE(reader.finished());
}

TEST(BodyReader, FailsForGoodAfterOneShortRead) {
  BodyReader reader("\x01\x02\x03"sv);
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0) << "although a byte is there";
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_EQ(reader.rest(), "");
  EXPECT_EQ(reader.c_string(), "");
  EXPECT_FALSE(reader.finished());
}

TEST(BodyReader, RefusesAStringWithoutItsZero) {
  BodyReader reader("name");
  EXPECT_EQ(reader.c_string(), "");
  EXPECT_FALSE(reader.ok());
}

TEST(BodyReader, RefusesACountBeyondTheEnd) {
  BodyReader reader("abc");
  EXPECT_EQ(reader.bytes(SIZE_MAX), "");
  EXPECT_FALSE(reader.ok());
}

TEST(BodyReader, FinishesAnEmptyBody) {
  BodyReader reader("");
  EXPECT_EQ(reader.rest(), "");
  EXPECT_TRUE(reader.finished());
}

}  // namespace
}  // namespace fairlead::wire
