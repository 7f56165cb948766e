// Cuts arbitrary bytes at arbitrary places: the first byte of the input chooses the policy and the
// size of the chunks, the rest is the stream. However it arrives, the same frames must come out,
// every byte exactly once, and nothing above the policy's bounds may be held.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "wire/frame.h"

namespace {

using fairlead::require;
using fairlead::Result;
using fairlead::wire::FrameCutter;
using fairlead::wire::FramePolicy;
using fairlead::wire::Piece;

struct Cut {
  std::string boundaries;  // Per finished frame: its type and its size.
  size_t given = 0;        // Bytes in all pieces.
  bool failed = false;

  bool operator==(const Cut&) const = default;
};

// Offers `stream` in chunks; what was not taken is offered again with the next one.
Cut cut(const FramePolicy& policy, std::string_view stream, size_t chunk) {
  FrameCutter cutter(policy);
  Cut result;
  size_t end = 0;
  size_t frame_size = 0;
  while (end < stream.size()) {
    end = std::min(end + chunk, stream.size());
    std::string_view input = stream.substr(result.given, end - result.given);
    while (true) {
      const bool was_at_boundary = cutter.at_boundary();
      const Result<Piece> piece = cutter.next(input);
      if (!piece) {
        result.failed = true;
        return result;
      }
      if (piece->kind == Piece::Kind::kNone) {
        require(piece->needed > input.size(), "kNone, although enough is there");
        break;
      }
      require(piece->bytes.data() == stream.data() + result.given,
              "a byte was skipped or repeated");
      const bool starts = piece->kind == Piece::Kind::kWhole || piece->kind == Piece::Kind::kFirst;
      require(starts == was_at_boundary, "a frame starts at a boundary and only there");
      frame_size = starts ? piece->bytes.size() : frame_size + piece->bytes.size();
      result.given += piece->bytes.size();
      if (cutter.at_boundary()) {
        require(frame_size == piece->body_size + fairlead::wire::kFrameHeaderSize,
                "a frame's size");
        result.boundaries.append({piece->type, ' '}).append(std::to_string(frame_size) + '\n');
      }
    }
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const FramePolicy& policy =
      data[0] & 1 ? fairlead::wire::kBackendPolicy : fairlead::wire::kFrontendPolicy;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Cut at_once = cut(policy, stream, stream.size() + 1);
  const Cut in_chunks = cut(policy, stream, size_t{1} + (data[0] >> 1));
  require(at_once.boundaries == in_chunks.boundaries, "the cut depends on how the bytes arrive");
  require(at_once.failed == in_chunks.failed, "the error depends on how the bytes arrive");
  return 0;
}
