// Reads whole messages one after the other from a stream, for conversations that are not relayed:
// logins and helpers.
//
// Holds its bytes itself. One per stream and loop; the stream must outlive it.
#pragma once

#include <string>

#include "net/stream.h"
#include "wire/frame.h"

namespace fairlead::proxy {

class FrameReader {
 public:
  FrameReader(net::Loop& loop, net::Stream& stream, const wire::FramePolicy& policy)
      : loop_(loop), stream_(stream), cutter_(policy) {}

  struct Message {
    char type = 0;
    std::string_view frame;  // Valid until the next call.

    std::string_view body() const { return frame.substr(wire::kFrameHeaderSize); }
  };

  /// Error: kConnectionFailure when the peer is gone, kProtocolViolation when it breaks the
  /// protocol, or its header announces what the policy refuses or more than `kMessageMax`.
  net::Task<Result<Message>> next();

  /// Bytes that were read from the stream before, to be read again first.
  void put_back(std::string_view bytes) { buffer_.append(bytes); }

  /// What was read from the stream behind the last message, for whoever reads on.
  std::string take_rest() {
    std::string rest = buffer_.substr(used_);
    buffer_.clear();
    used_ = 0;
    return rest;
  }

  /// Nothing that came in is left unread.
  bool empty() const { return used_ == buffer_.size(); }

 private:
  // Enough for any answer to our own questions; nobody may make a login hold more.
  static constexpr size_t kMessageMax = size_t{1} << 20;

  net::Loop& loop_;
  net::Stream& stream_;
  wire::FrameCutter cutter_;
  std::string buffer_;
  size_t used_ = 0;
};

}  // namespace fairlead::proxy
