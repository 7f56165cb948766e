// Cuts what a client sends into requests: the units that are routed as one (A4, A5).
//
// A request is a Query, a FunctionCall, or the extended messages up to and including a Sync; a
// Flush ends a part of one. The reader points into the caller's bytes and holds none of its own, so
// the caller can keep them in the worker's shared read buffer while a request is complete there,
// and in a buffer of the session only while one is not.
//
//   reader.read(bytes)      as often as more bytes come, always from the first byte of the request
//   reader.messages()       what it consists of
//   reader.next()           forget it; the next read() begins after reader.size() bytes
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "wire/frame.h"

namespace fairlead::core {

/// One message of a request: bytes [offset, offset + size) of it, header included.
struct RequestMessage {
  char type = 0;
  bool whole = true;  // False: only the head is there, the rest streams through (F20).
  uint32_t offset = 0;
  uint32_t size = 0;

  std::string_view frame(std::string_view request) const { return request.substr(offset, size); }
  std::string_view body(std::string_view request) const {
    return frame(request).substr(wire::kFrameHeaderSize);
  }

  bool operator==(const RequestMessage&) const = default;
};

enum class RequestEnd : uint8_t {
  kMore,   // Not complete: come again with more bytes, from the same first byte.
  kQuery,  // The last message is a Query, after none or some extended messages (F24).
  kCall,   // The last message is a FunctionCall.
  kSync,
  kFlush,     // The request goes on after it (F23).
  kOversize,  // Larger than `size_max`, or the last message is too large to be held: it goes on
              // after what is here.
  kRest,      // Raw bytes of a message whose head came as kOversize.
  kCopy,      // CopyData, CopyDone, CopyFail: one after the other, in pieces as they came.
  kTerminate,
};

class RequestReader {
 public:
  /// `size_max` bounds what a session holds of a request that is not complete, in bytes.
  explicit RequestReader(size_t size_max) : cutter_(wire::kFrontendPolicy), size_max_(size_max) {}

  /// Errors: kProtocolViolation; the connection cannot go on after one.
  Result<RequestEnd> read(std::string_view bytes);

  std::span<const RequestMessage> messages() const { return messages_; }
  /// Bytes of the request so far.
  size_t size() const { return size_; }
  /// kRest and kCopy: the last of these bytes end a message.
  bool at_boundary() const { return cutter_.at_boundary(); }
  /// The type of the message that kRest belongs to.
  char open_type() const { return open_type_; }

  void next();

 private:
  Result<RequestEnd> read_rest(std::string_view bytes);
  Result<RequestEnd> read_copy(std::string_view bytes);
  void add(const wire::Piece& piece);

  wire::FrameCutter cutter_;
  size_t size_max_;
  std::vector<RequestMessage> messages_;
  size_t size_ = 0;
  char open_type_ = 0;
};

}  // namespace fairlead::core
