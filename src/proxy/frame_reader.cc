#include "proxy/frame_reader.h"

#include "base/bytes.h"

namespace fairlead::proxy {
namespace {

std::unexpected<Error> gone() {
  return fail(ErrorCode::kConnectionFailure, "the connection was closed");
}

}  // namespace

net::Task<Result<FrameReader::Message>> FrameReader::next() {
  for (;;) {
    // Streamed kinds are waited for here, too: only when a frame is complete does the cutter see
    // it.
    const std::string_view waiting = std::string_view(buffer_).substr(used_);
    const bool complete = waiting.size() >= wire::kFrameHeaderSize &&
                          waiting.size() >= size_t{load_u32(waiting.data() + 1)} + 1;
    const bool absurd =
        waiting.size() >= wire::kFrameHeaderSize && load_u32(waiting.data() + 1) > kMessageMax;
    if (complete || absurd) {
      std::string_view input = waiting;
      const auto piece = cutter_.next(input);
      if (!piece) co_return std::unexpected(piece.error());
      if (piece->kind != wire::Piece::Kind::kWhole) {
        co_return fail(ErrorCode::kProtocolViolation, "a message is too long",
                       "at most 1 MiB is read here");
      }
      used_ += piece->bytes.size();
      co_return Message{.type = piece->type, .frame = piece->bytes};
    }
    buffer_.erase(0, used_);
    used_ = 0;
    const net::Transfer got = stream_.read(loop_.scratch());
    if (got.closed()) co_return gone();
    if (got.ok()) {
      buffer_.append(loop_.scratch().data(), got.bytes);
      continue;
    }
    const auto [error] = co_await stream_.readable();
    if (error) co_return gone();
  }
}

}  // namespace fairlead::proxy
