// Cuts a byte stream at message boundaries, without buffering or copying (F20).
//
// The caller owns the bytes. It offers what it has, next() takes pieces off the front, and what is
// left when next() answers kNone must be kept and offered again, at the front of more bytes:
//
//   while (true) {
//     Result<Piece> piece = cutter.next(input);
//     if (!piece) ...the peer broke the protocol: answer and close...
//     if (piece->kind == Piece::Kind::kNone) break;  // Keep `input`; at least piece->needed bytes.
//     ...use piece->bytes, which point into the caller's buffer...
//   }
//
// A frame that is complete in the input is always given as one kWhole piece. One that is not is
// either waited for (up to the policy's whole_max) or given in pieces as it comes. Not for start-up
// packets, which have no type byte: see startup.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "wire/frame_policy.h"
#include "wire/limits.h"

namespace fairlead::wire {

struct Piece {
  enum class Kind : uint8_t {
    kNone,    // What is left is an incomplete header, or a frame that must be given whole.
    kWhole,   // Header and body.
    kFirst,   // Header and the start of the body; more pieces follow, the last of them kLast.
    kMiddle,  // More of the body.
    kLast,    // The rest of the body, never empty.
  };

  Kind kind = Kind::kNone;
  char type = 0;           // kNone: 0 while the header is incomplete.
  uint32_t body_size = 0;  // Of the whole message's body, whatever the piece holds of it.
  uint32_t needed = 0;     // kNone only: next() has nothing to give before the input is this long.
  std::string_view bytes = {};

  /// kWhole: the message's body. kFirst: as much of it as is there.
  std::string_view body() const { return bytes.substr(kFrameHeaderSize); }

  bool operator==(const Piece&) const = default;
};

/// One direction of one connection. Holds no bytes, so at a boundary it can be replaced by another
/// with another policy. After an error it is of no more use.
class FrameCutter {
 public:
  /// `policy` must outlive the cutter; the constants of frame_policy.h do.
  explicit FrameCutter(const FramePolicy& policy) : policy_(&policy) {}

  /// The next piece off the front of `input`. Errors: kProtocolViolation for a type that the policy
  /// does not know or a length that is not legal for it, with nothing taken.
  Result<Piece> next(std::string_view& input) {
    if (remaining_ != 0) return next_of_body(input);
    if (input.size() < kFrameHeaderSize) return Piece{.needed = kFrameHeaderSize};

    const char type = input[0];
    const auto index = static_cast<unsigned char>(type);
    const uint32_t length = load_u32(input.data() + 1);
    if (length < kEmptyFrameLength || length > policy_->length_max[index]) [[unlikely]]
      return bad_header(type, length);

    const uint32_t body_size = length - kEmptyFrameLength;
    const size_t frame_size = kFrameHeaderSize + body_size;
    if (input.size() >= frame_size) [[likely]] {
      const std::string_view frame(input.data(), frame_size);
      input = std::string_view(input.data() + frame_size, input.size() - frame_size);
      return Piece{
          .kind = Piece::Kind::kWhole, .type = type, .body_size = body_size, .bytes = frame};
    }
    return first_of_body(input, type, body_size);
  }

  /// Whether the policy allows the frame whose header `input` begins with: known as soon as
  /// kFrameHeaderSize bytes are there, and the same errors as of next(). For whoever waits for
  /// whole frames: what is refused must not be waited for. Only at_boundary().
  Result<void> check_header(std::string_view input) const;

  /// No frame is under way: the next byte is a type byte.
  bool at_boundary() const { return remaining_ == 0; }

 private:
  Result<Piece> next_of_body(std::string_view& input);
  Result<Piece> first_of_body(std::string_view& input, char type, uint32_t body_size);
  Result<Piece> bad_header(char type, uint32_t length) const;

  const FramePolicy* policy_;
  uint32_t remaining_ = 0;  // Bytes of the current frame's body that have not been given yet.
  uint32_t body_size_ = 0;
  char type_ = 0;
};

}  // namespace fairlead::wire
