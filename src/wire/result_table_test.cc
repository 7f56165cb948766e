#include "wire/result_table.h"

#include <gmock/gmock.h>

#include <array>

using fairlead::wire::append_data_row;
using fairlead::wire::append_row_description;
using fairlead::wire::are_valid;
using fairlead::wire::ColumnType;
using fairlead::wire::ResultCell;
using fairlead::wire::ResultColumn;
using fairlead::wire::text_of;
using std::string_literals::operator""s;
using std::string_view_literals::operator""sv;

namespace {

constexpr std::array kColumns{ResultColumn{"a"}, ResultColumn{"n", ColumnType::kInt8},
                              ResultColumn{"x", ColumnType::kFloat8}};
constexpr auto kBinaryForAll = "\0\1"sv;

}  // namespace

TEST(ResultTable, DescribesTheTypesThatPostgresqlHas) {
  std::string out;
  append_row_description(out, kColumns);
  const std::string none = "\0\0\0\0\0\0"s;  // No table, no column of it.
  EXPECT_EQ(out, "T\0\0\0\x42\0\3"s +        //
                     "a\0"s + none + "\0\0\0\x19\xFF\xFF\xFF\xFF\xFF\xFF\0\0"s +  //
                     "n\0"s + none + "\0\0\0\x14\0\x08\xFF\xFF\xFF\xFF\0\0"s +    //
                     "x\0"s + none + "\0\0\2\xBD\0\x08\xFF\xFF\xFF\xFF\0\0"s);
}

TEST(ResultTable, WritesTextWhereNoFormatIsAskedFor) {
  std::string out;
  append_data_row(out, std::vector<ResultCell>{"t", int64_t{-7}, 0.25});
  EXPECT_EQ(out, "D\0\0\0\x19\0\3\0\0\0\1t\0\0\0\2-7\0\0\0\4"s + "0.25"s);
}

TEST(ResultTable, WritesNumbersInBinaryWhereThatIsAskedFor) {
  std::string out;
  append_data_row(out, std::vector<ResultCell>{"t", int64_t{258}, 1.0}, kBinaryForAll);
  EXPECT_EQ(out,
            "D\0\0\0\x23\0\3\0\0\0\1t\0\0\0\x08\0\0\0\0\0\0\1\2\0\0\0\x08\x3F\xF0\0\0\0\0\0\0"s);
}

TEST(ResultTable, AFormatForEachColumnCountsForItsOwn) {
  std::string out;
  append_data_row(out, std::vector<ResultCell>{"t", int64_t{7}, std::monostate{}},
                  "\0\0\0\1\0\0"sv);
  EXPECT_EQ(out, "D\0\0\0\x1B\0\3\0\0\0\1t\0\0\0\x08\0\0\0\0\0\0\0\7\xFF\xFF\xFF\xFF"s);
}

TEST(ResultTable, FormatsAreNoneOneOrOneForEachColumn) {
  EXPECT_TRUE(are_valid({}, 3));
  EXPECT_TRUE(are_valid("\0\1"sv, 3));
  EXPECT_TRUE(are_valid("\0\1\0\0\0\1"sv, 3));
  EXPECT_FALSE(are_valid("\0\1\0\0"sv, 3));
  EXPECT_FALSE(are_valid("\0\2"sv, 3)) << "there is no format 2";
}

TEST(ResultTable, NumbersPrintAsShortAsTheyAreExact) {
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of(int64_t{1} << 53), "9007199254740992");
  EXPECT_EQ(text_of(ResultCell{}), std::nullopt);
}
