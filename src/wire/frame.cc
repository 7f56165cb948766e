#include "wire/frame.h"

#include <fmt/format.h>

#include "wire/printable.h"

namespace fairlead::wire {

Result<Piece> FrameCutter::next_of_body(std::string_view& input) {
  if (input.empty()) return Piece{.type = type_, .body_size = body_size_, .needed = 1};
  const size_t size = std::min<size_t>(remaining_, input.size());
  remaining_ -= static_cast<uint32_t>(size);
  const Piece piece{.kind = remaining_ == 0 ? Piece::Kind::kLast : Piece::Kind::kMiddle,
                    .type = type_,
                    .body_size = body_size_,
                    .bytes = input.substr(0, size)};
  input.remove_prefix(size);
  return piece;
}

// Called with less than the whole frame in `input`, so a kFirst piece is never the last one.
Result<Piece> FrameCutter::first_of_body(std::string_view& input, char type, uint32_t body_size) {
  const uint32_t whole_max = policy_->whole_max[static_cast<unsigned char>(type)];
  uint32_t wanted = 0;
  if (body_size <= whole_max)
    wanted = body_size;
  else if (whole_max > 0)  // A type whose fields somebody reads: its head must be in one piece.
    wanted = std::min(body_size, kHeadMin);

  const auto needed = static_cast<uint32_t>(kFrameHeaderSize) + wanted;
  if (input.size() < needed) return Piece{.type = type, .body_size = body_size, .needed = needed};

  type_ = type;
  body_size_ = body_size;
  remaining_ = body_size - static_cast<uint32_t>(input.size() - kFrameHeaderSize);
  const Piece piece{
      .kind = Piece::Kind::kFirst, .type = type, .body_size = body_size, .bytes = input};
  input = {};
  return piece;
}

Result<void> FrameCutter::check_header(std::string_view input) const {
  const auto index = static_cast<unsigned char>(input[0]);
  const uint32_t length = load_u32(input.data() + 1);
  if (length >= kEmptyFrameLength && length <= policy_->length_max[index]) return {};
  return std::unexpected(bad_header(input[0], length).error());
}

Result<Piece> FrameCutter::bad_header(char type, uint32_t length) const {
  const uint32_t length_max = policy_->length_max[static_cast<unsigned char>(type)];
  const std::string name = printable({&type, 1}, 8);
  if (length_max == 0)
    return fail(ErrorCode::kProtocolViolation,
                fmt::format("unknown message type '{}' (length {})", name, length));
  return fail(ErrorCode::kProtocolViolation,
              fmt::format("message of type '{}' has the illegal length {}", name, length),
              fmt::format("legal lengths are {} to {}", kEmptyFrameLength, length_max));
}

}  // namespace fairlead::wire
