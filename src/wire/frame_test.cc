#include "wire/frame.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "wire/backend_encode.h"
#include "wire/frontend_encode.h"

namespace fairlead::wire {
namespace {

using Kind = Piece::Kind;

std::string frame_of(char type, std::string_view body) {
  std::string frame(1, type);
  append_u32(frame, static_cast<uint32_t>(body.size()) + kEmptyFrameLength);
  return frame.append(body);
}

struct Frame {
  char type = 0;
  std::string bytes;

  bool operator==(const Frame&) const = default;
};

// Reads like a relay does: keeps what the cutter leaves, offers it again before new bytes; and
// checks what the cutter promises on the way.
class Relay {
 public:
  explicit Relay(const FramePolicy& policy) : policy_(policy), cutter_(policy) {}

  bool feed(std::string_view chunk) {
    kept_.append(chunk);
    std::string_view input = kept_;
    while (true) {
      const size_t before = input.size();
      const Result<Piece> piece = cutter_.next(input);
      if (!piece) return false;
      EXPECT_EQ(piece->bytes.size(), before - input.size()) << "each byte is given once";
      if (piece->kind == Kind::kNone) {
        EXPECT_GT(piece->needed, input.size()) << "kNone only when more bytes are needed";
        break;
      }
      take(*piece);
    }
    kept_.erase(0, kept_.size() - input.size());
    kept_max_ = std::max(kept_max_, kept_.size());
    return true;
  }

  std::vector<Frame> frames;
  size_t streamed = 0;
  size_t kept_max() const { return kept_max_; }
  bool idle() const { return kept_.empty() && cutter_.at_boundary(); }

 private:
  void take(const Piece& piece) {
    const uint32_t whole_max = policy_.whole_max[static_cast<unsigned char>(piece.type)];
    switch (piece.kind) {
      case Kind::kWhole:
      case Kind::kFirst:
        EXPECT_FALSE(under_way_);
        frames.push_back({piece.type, std::string(piece.bytes)});
        break;
      case Kind::kMiddle:
      case Kind::kLast:
        EXPECT_TRUE(under_way_);
        EXPECT_EQ(frames.back().type, piece.type);
        EXPECT_FALSE(piece.bytes.empty());
        frames.back().bytes.append(piece.bytes);
        break;
      case Kind::kNone:
        break;
    }
    if (piece.kind == Kind::kFirst) {
      ++streamed;
      EXPECT_GT(piece.body_size, whole_max) << "what must be whole is not streamed";
      if (whole_max > 0) {
        EXPECT_GE(piece.body().size(), std::min(piece.body_size, kHeadMin));
      }
    }
    under_way_ = piece.kind == Kind::kFirst || piece.kind == Kind::kMiddle;
    EXPECT_EQ(cutter_.at_boundary(), !under_way_);
    if (!under_way_) {
      EXPECT_EQ(frames.back().bytes.size(), kFrameHeaderSize + piece.body_size);
    }
  }

  const FramePolicy& policy_;
  FrameCutter cutter_;
  std::string kept_;
  size_t kept_max_ = 0;
  bool under_way_ = false;
};

std::string pipeline() {
  std::string stream;
  append_parse(stream, "s1", "select $1::int", {});
  append_bind(stream, "", "s1", {});
  append_describe(stream, NameKind::kPortal, "");
  append_execute(stream, "");
  append_sync(stream);
  append_query(stream, "select 1");
  append_terminate(stream);
  return stream;
}

TEST(FrameCutter, GivesFramesThatAreThereAsWholes) {
  const std::string stream = pipeline();
  std::string_view input = stream;
  FrameCutter cutter(kFrontendPolicy);
  std::string types;
  while (true) {
    const Result<Piece> piece = cutter.next(input);
    ASSERT_TRUE(piece);
    if (piece->kind == Kind::kNone) break;
    ASSERT_EQ(piece->kind, Kind::kWhole);
    EXPECT_EQ(piece->body().size(), piece->body_size);
    types.push_back(piece->type);
  }
  EXPECT_EQ(types, "PBDESQX");
  EXPECT_TRUE(input.empty());
}

TEST(FrameCutter, OneByteAtATimeEqualsAllAtOnce) {
  std::string stream = pipeline();
  append_copy_data(stream, std::string(10000, 'd'));  // Streams when it comes bit by bit.
  append_copy_done(stream);

  Relay at_once(kFrontendPolicy);
  ASSERT_TRUE(at_once.feed(stream));
  Relay by_byte(kFrontendPolicy);
  for (const char c : stream) ASSERT_TRUE(by_byte.feed({&c, 1}));

  EXPECT_EQ(at_once.frames, by_byte.frames);
  EXPECT_EQ(at_once.frames.size(), 9u);
  EXPECT_EQ(at_once.streamed, 0u);
  EXPECT_EQ(by_byte.streamed, 1u);
  EXPECT_TRUE(by_byte.idle());
}

TEST(FrameCutter, HoldsNothingOfAMessageThatStreams) {
  Relay relay(kBackendPolicy);
  const std::string row = frame_of(backend::kDataRow, std::string(5 << 20, 'x'));
  for (size_t at = 0; at < row.size(); at += 1000)
    ASSERT_TRUE(relay.feed(std::string_view(row).substr(at, 1000)));
  EXPECT_EQ(relay.frames, std::vector<Frame>({{backend::kDataRow, row}}));
  EXPECT_EQ(relay.kept_max(), 0u);
}

TEST(FrameCutter, HoldsAQueryUntilItIsWhole) {
  const std::string query = frame_of(frontend::kQuery, std::string(kQueryWholeMax, 'q'));
  FrameCutter cutter(kFrontendPolicy);
  std::string_view input = std::string_view(query).substr(0, query.size() - 1);
  const Result<Piece> none = cutter.next(input);
  ASSERT_TRUE(none);
  EXPECT_EQ(*none, (Piece{.type = frontend::kQuery,
                          .body_size = kQueryWholeMax,
                          .needed = static_cast<uint32_t>(query.size())}));
  EXPECT_EQ(input.size(), query.size() - 1) << "nothing was taken";
  input = query;
  EXPECT_EQ(cutter.next(input)->kind, Kind::kWhole);
}

TEST(FrameCutter, GivesAWholeFrameWhateverItsSizeWhenItIsThere) {
  const std::string query = frame_of(frontend::kQuery, std::string(kQueryWholeMax + 1, 'q'));
  FrameCutter cutter(kFrontendPolicy);
  std::string_view input = query;
  EXPECT_EQ(cutter.next(input)->kind, Kind::kWhole);
}

TEST(FrameCutter, StreamsABindWithBothNamesInItsFirstPiece) {
  std::string body = std::string(kNameMax, 'p') + '\0' + std::string(kNameMax, 's') + '\0';
  body.append(kBindWholeMax, 'v');
  const std::string frame = frame_of(frontend::kBind, body);

  FrameCutter cutter(kFrontendPolicy);
  std::string_view input = std::string_view(frame).substr(0, kFrameHeaderSize + kHeadMin - 1);
  Result<Piece> piece = cutter.next(input);
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->kind, Kind::kNone);
  EXPECT_EQ(piece->needed, kFrameHeaderSize + kHeadMin);

  input = std::string_view(frame).substr(0, piece->needed);
  piece = cutter.next(input);
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->kind, Kind::kFirst);
  EXPECT_FALSE(cutter.at_boundary());
  const Result<Bind> bind = Bind::decode_head(piece->body());
  ASSERT_TRUE(bind);
  EXPECT_EQ(bind->portal, std::string(kNameMax, 'p'));
  EXPECT_EQ(bind->statement, std::string(kNameMax, 's'));

  input = {};
  EXPECT_EQ(*cutter.next(input),
            (Piece{.type = frontend::kBind, .body_size = piece->body_size, .needed = 1}));
}

TEST(FrameCutter, LeavesTheNextFrameAloneWhenAStreamedOneEnds) {
  const std::string row = frame_of(backend::kDataRow, "0123456789");
  std::string ready;
  append_ready_for_query(ready, TxStatus::kIdle);

  FrameCutter cutter(kBackendPolicy);
  std::string_view input = std::string_view(row).substr(0, 7);
  EXPECT_EQ(cutter.next(input)->kind, Kind::kFirst);
  const std::string rest = row.substr(7) + ready;
  input = rest;
  Result<Piece> piece = cutter.next(input);
  EXPECT_EQ(piece->kind, Kind::kLast);
  EXPECT_EQ(piece->bytes, "23456789");
  piece = cutter.next(input);
  EXPECT_EQ(piece->kind, Kind::kWhole);
  EXPECT_EQ(piece->body(), "I");
}

// A header alone is enough to refuse it: nobody waits for a body that may not come.
Error header_error(const FramePolicy& policy, char type, uint32_t length) {
  std::string header(1, type);
  append_u32(header, length);
  FrameCutter cutter(policy);
  std::string_view input = header;
  const Result<Piece> piece = cutter.next(input);
  if (piece) return {};
  EXPECT_EQ(input.size(), header.size()) << "nothing is taken";
  return piece.error();
}

TEST(FrameCutter, RefusesALengthThatIsNotLegal) {
  const Error too_short = header_error(kFrontendPolicy, 'Q', 3);
  EXPECT_EQ(too_short.code, ErrorCode::kProtocolViolation);
  EXPECT_EQ(too_short.message, "message of type 'Q' has the illegal length 3");
  EXPECT_EQ(too_short.detail, "legal lengths are 4 to 1073741822");

  for (const char empty : {'S', 'H', 'c', 'X'}) {
    EXPECT_EQ(header_error(kFrontendPolicy, empty, 5).code, ErrorCode::kProtocolViolation);
    EXPECT_EQ(header_error(kFrontendPolicy, empty, 4), Error{}) << "legal";
  }
  EXPECT_EQ(header_error(kFrontendPolicy, 'd', 0x3FFFFFFE), Error{}) << "legal";
  EXPECT_EQ(header_error(kFrontendPolicy, 'd', 0x3FFFFFFF).code, ErrorCode::kProtocolViolation);
  EXPECT_EQ(header_error(kFrontendPolicy, 'd', 0xFFFFFFFF).code, ErrorCode::kProtocolViolation);
  EXPECT_EQ(header_error(kFrontendPolicy, 'D', 4 + 2050).code, ErrorCode::kProtocolViolation);
  EXPECT_EQ(header_error(kBackendPolicy, 'Z', 6).code, ErrorCode::kProtocolViolation);
  EXPECT_EQ(header_error(kBackendPolicy, 'K', 4 + 4 + 257).code, ErrorCode::kProtocolViolation);
}

TEST(FrameCutter, RefusesATypeThatDoesNotExist) {
  const Error unknown = header_error(kFrontendPolicy, '\n', 4);
  EXPECT_EQ(unknown.code, ErrorCode::kProtocolViolation);
  EXPECT_EQ(unknown.message, "unknown message type '\\x0a' (length 4)");
  EXPECT_EQ(header_error(kBackendPolicy, 'Q', 4).code, ErrorCode::kProtocolViolation);
}

TEST(FrameCutter, TellsByTheHeaderAloneWhatItRefuses) {
  const auto check = [](const FramePolicy& policy, char type, uint32_t length) {
    std::string header(1, type);
    append_u32(header, length);
    const FrameCutter cutter(policy);
    const auto checked = cutter.check_header(header);
    EXPECT_EQ(checked ? Error{} : checked.error(), header_error(policy, type, length));
    return checked.has_value();
  };
  EXPECT_TRUE(check(kLoginPolicy, 'p', 4 + kPasswordBodyMax));
  EXPECT_FALSE(check(kLoginPolicy, 'p', 4 + kPasswordBodyMax + 1));
  EXPECT_FALSE(check(kLoginPolicy, 'Q', 1 << 20));
  EXPECT_FALSE(check(kLoginPolicy, 'p', 3));
  EXPECT_TRUE(check(kBackendPolicy, 'D', 1 << 20));
}

TEST(FrameCutter, LetsAStrangerSendOnlyAPassword) {
  EXPECT_EQ(header_error(kLoginPolicy, 'p', 4 + kPasswordBodyMax), Error{}) << "legal";
  EXPECT_EQ(header_error(kLoginPolicy, 'p', 4 + kPasswordBodyMax + 1).code,
            ErrorCode::kProtocolViolation);
  EXPECT_EQ(header_error(kLoginPolicy, 'Q', 10).code, ErrorCode::kProtocolViolation);
}

// Every letter of the protocol is in its policy, and nothing else.
TEST(FramePolicy, KnowsTheMessagesOfTheProtocol) {
  const auto known = [](const FramePolicy& policy) {
    std::string types;
    for (int c = 0; c < 256; ++c)
      if (policy.length_max[static_cast<size_t>(c)] != 0) types.push_back(static_cast<char>(c));
    return types;
  };
  EXPECT_EQ(known(kFrontendPolicy), "BCDEFHPQSXcdfp");
  EXPECT_EQ(known(kBackendPolicy), "123ACDEGHIKNRSTVWZcdnstv");
  EXPECT_EQ(known(kLoginPolicy), "Xp");
}

// Random frames of sizes around every threshold, cut at random places.
TEST(FrameCutterProperty, AnyCutOfAnyStreamGivesTheSameFrames) {
  const FramePolicy policy = FramePolicy{}
                                 .streamed('a', 0)
                                 .streamed('b', 20)
                                 .streamed('c', kHeadMin + 100)
                                 .whole('d', 300)
                                 .empty('e');
  const size_t legal_max[] = {9000, 9000, 9000, 300, 0};
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const auto below = [&](size_t bound) { return random() % bound; };

    std::string stream;
    std::vector<Frame> expected;
    for (size_t i = 0, count = 1 + below(30); i < count; ++i) {
      const size_t kind = below(std::size(legal_max));
      const size_t scale = below(2) == 0 ? 30 : legal_max[kind];
      std::string body(below(std::min(scale, legal_max[kind]) + 1), '\0');
      for (char& c : body) c = static_cast<char>(random());
      expected.push_back({static_cast<char>('a' + kind), {}});
      expected.back().bytes = frame_of(expected.back().type, body);
      stream += expected.back().bytes;
    }

    Relay relay(policy);
    const size_t chunk_max = 1 + below(below(2) == 0 ? 12 : 6000);
    for (std::string_view rest = stream; !rest.empty();) {
      const size_t size = std::min(rest.size(), 1 + below(chunk_max));
      ASSERT_TRUE(relay.feed(rest.substr(0, size)));
      rest.remove_prefix(size);
    }
    ASSERT_EQ(relay.frames, expected);
    ASSERT_TRUE(relay.idle());
    ASSERT_LE(relay.kept_max(), kFrameHeaderSize + kHeadMin + 100) << "bounded by the policy";
  }
}

}  // namespace
}  // namespace fairlead::wire
