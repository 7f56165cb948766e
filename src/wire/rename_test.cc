#include "wire/rename.h"

#include <gtest/gtest.h>

#include <random>

#include "wire/decode_testing.h"
#include "wire/frontend_encode.h"

namespace fairlead::wire {
namespace {

TEST(Rename, ChangesTheNameInAParseAndNothingElse) {
  const uint32_t oids[] = {23, 25};
  std::string original, renamed, expected;
  append_parse(original, "s", "select $1, $2", oids);
  append_parse(expected, "fl_17", "select $1, $2", oids);
  const std::string body = body_of(original);
  append_parse_renamed(renamed, *Parse::decode(body), "fl_17");
  EXPECT_EQ(renamed, expected);
}

TEST(Rename, ChangesTheStatementOfABindAndNotItsPortal) {
  const std::optional<std::string_view> values[] = {"1", std::nullopt};
  std::string original, renamed, expected;
  append_bind(original, "s", "s", values);
  append_bind(expected, "s", "", values);
  const std::string body = body_of(original);
  append_bind_renamed(renamed, *Bind::decode(body), "");
  EXPECT_EQ(renamed, expected);
}

TEST(Rename, KeepsTheKindOfDescribeAndClose) {
  std::string out, expected;
  append_describe_renamed(out, {.kind = NameKind::kStatement, .name = "a"}, "b");
  append_close_renamed(out, {.kind = NameKind::kPortal, .name = "a"}, "b");
  append_describe(expected, NameKind::kStatement, "b");
  append_close(expected, NameKind::kPortal, "b");
  EXPECT_EQ(out, expected);
}

// Cuts `frame` after `head_size` bytes of body and renames the head; the rest follows unchanged.
template <class Rename>
std::string rename_streamed(const std::string& frame, size_t head_size, std::string_view name,
                            Rename rename) {
  FrameCutter cutter(kFrontendPolicy);
  std::string_view input = std::string_view(frame).substr(0, kFrameHeaderSize + head_size);
  const Result<Piece> first = cutter.next(input);
  EXPECT_EQ(first->kind, Piece::Kind::kFirst);
  std::string out;
  EXPECT_TRUE(rename(out, *first, name));
  return out + frame.substr(kFrameHeaderSize + head_size);
}

TEST(Rename, OfAStreamedBindEqualsThatOfAWholeOne) {
  const std::string large(kBindWholeMax, 'v');
  const std::optional<std::string_view> values[] = {large};
  std::string original;
  append_bind(original, "portal", "statement", values);
  for (const std::string_view name : {"", "x", "statement", "a much longer name than before"}) {
    std::string expected;
    append_bind(expected, "portal", name, values);
    for (const size_t head_size : {size_t{kHeadMin}, size_t{kHeadMin} + 7, large.size()})
      EXPECT_EQ(rename_streamed(original, head_size, name, append_bind_head_renamed), expected);
  }
}

TEST(Rename, OfAStreamedParseEqualsThatOfAWholeOne) {
  const std::string query(kQueryWholeMax + 10, 'q');
  std::string original, expected;
  append_parse(original, "s1", query);
  append_parse(expected, "fl_1", query);
  EXPECT_EQ(rename_streamed(original, kHeadMin, "fl_1", append_parse_head_renamed), expected);
}

TEST(Rename, RefusesAStreamedMessageWhoseNameDoesNotEnd) {
  const std::string head = "B____" + std::string(kHeadMin, 'p');
  Piece first{.kind = Piece::Kind::kFirst,
              .type = frontend::kBind,
              .body_size = kBindWholeMax + 1,
              .bytes = head};
  std::string out = "before";
  EXPECT_EQ(append_bind_head_renamed(out, first, "x").error().code, ErrorCode::kLimitExceeded);
  first.type = frontend::kParse;
  EXPECT_EQ(append_parse_head_renamed(out, first, "x").error().code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(out, "before");
}

TEST(Rename, RefusesToMakeAMessageThatIsTooLong) {
  std::string head = "B____";
  head.append(2, '\0').append(kHeadMin, 'v');
  const Piece first{.kind = Piece::Kind::kFirst,
                    .type = frontend::kBind,
                    .body_size = kLargeBodyMax,
                    .bytes = head};
  std::string out;
  EXPECT_TRUE(append_bind_head_renamed(out, first, "").has_value());
  EXPECT_EQ(append_bind_head_renamed(out, first, "x").error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace fairlead::wire
