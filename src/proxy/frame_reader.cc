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
    const std::string_view waiting = std::string_view(buffer_).substr(used_);
    if (waiting.size() >= wire::kFrameHeaderSize) {
      // The header decides what is waited for, before a byte of the body is: nobody may make us
      // hold what the policy refuses.
      if (auto legal = cutter_.check_header(waiting); !legal)
        co_return std::unexpected(legal.error());
      const size_t length = load_u32(waiting.data() + 1);
      if (length > kMessageMax)
        co_return fail(ErrorCode::kProtocolViolation, "a message is too long",
                       "at most 1 MiB is read here");
      // Streamed kinds are waited for here, too: only when a frame is complete does the cutter see
      // it, which then gives it whole.
      if (waiting.size() >= length + 1) {
        std::string_view input = waiting;
        const auto piece = cutter_.next(input);
        if (!piece) co_return std::unexpected(piece.error());
        used_ += piece->bytes.size();
        co_return Message{.type = piece->type, .frame = piece->bytes};
      }
    }
    buffer_.erase(0, used_);
    used_ = 0;
    if (!co_await stream_.input()) co_return gone();
    const net::Transfer got = stream_.read(loop_.scratch());
    if (got.closed()) co_return gone();
    if (got.ok()) buffer_.append(loop_.scratch().data(), got.bytes);
  }
}

}  // namespace fairlead::proxy
