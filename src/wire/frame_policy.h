// Which message types exist in each direction, how long each may be, and up to which length it is
// given whole. Data, so that the cutter's loop has no branch per type; the numbers are those of
// limits.h.
#pragma once

#include <array>
#include <cstdint>

#include "wire/limits.h"
#include "wire/message_type.h"

namespace fairlead::wire {

struct FramePolicy {
  /// By type: a body up to this size is given whole, even if that takes several reads. 0: never
  /// wait for more, give what is there.
  std::array<uint32_t, 256> whole_max{};
  /// By type: the largest legal LENGTH FIELD, which counts its own four bytes; so 4 is "must be
  /// empty" and 0 is "no such message", and one comparison refuses both (F28).
  std::array<uint32_t, 256> length_max{};

  /// A message that is always given whole.
  constexpr FramePolicy& whole(char type, uint32_t body_max) {
    return streamed(type, body_max, body_max);
  }
  constexpr FramePolicy& empty(char type) { return streamed(type, 0, 0); }
  constexpr FramePolicy& streamed(char type, uint32_t body_whole_max,
                                  uint32_t body_max = kLargeBodyMax) {
    const auto index = static_cast<unsigned char>(type);
    whole_max[index] = body_whole_max;
    length_max[index] = body_max + kEmptyFrameLength;
    return *this;
  }
};

/// What a client may send once it is logged in, and 'p' besides.
inline constexpr FramePolicy kFrontendPolicy = FramePolicy{}
                                                   .streamed(frontend::kQuery, kQueryWholeMax)
                                                   .streamed(frontend::kParse, kQueryWholeMax)
                                                   .streamed(frontend::kBind, kBindWholeMax)
                                                   .streamed(frontend::kFunctionCall, 0)
                                                   .streamed(frontend::kCopyData, 0)
                                                   .whole(frontend::kExecute, kExecuteBodyMax)
                                                   .whole(frontend::kDescribe, kDescribeBodyMax)
                                                   .whole(frontend::kClose, kDescribeBodyMax)
                                                   .whole(frontend::kCopyFail, kCopyFailBodyMax)
                                                   .whole(frontend::kPassword, kPasswordBodyMax)
                                                   .empty(frontend::kCopyDone)
                                                   .empty(frontend::kSync)
                                                   .empty(frontend::kFlush)
                                                   .empty(frontend::kTerminate);

/// What a client may send before it is logged in: a stranger must not make us hold a 1 MiB Query.
inline constexpr FramePolicy kLoginPolicy =
    FramePolicy{}.whole(frontend::kPassword, kPasswordBodyMax).empty(frontend::kTerminate);

inline constexpr FramePolicy kBackendPolicy =
    FramePolicy{}
        .streamed(backend::kDataRow, 0)
        .streamed(backend::kCopyData, 0)
        .streamed(backend::kRowDescription, 0)
        .streamed(backend::kFunctionCallResponse, 0)
        .streamed(backend::kNotificationResponse, kNotificationWholeMax)
        .streamed(backend::kParameterDescription, 0, kParameterDescriptionBodyMax)
        .streamed(backend::kErrorResponse, kErrorWholeMax)
        .streamed(backend::kNoticeResponse, kErrorWholeMax)
        .whole(backend::kAuthentication, kHandshakeBodyMax)
        .whole(backend::kNegotiateProtocolVersion, kHandshakeBodyMax)
        .whole(backend::kBackendKeyData, 4 + kCancelSecretMax)
        .whole(backend::kParameterStatus, kParameterStatusBodyMax)
        .whole(backend::kCommandComplete, kCommandTagBodyMax)
        .whole(backend::kReadyForQuery, 1)
        .whole(backend::kCopyInResponse, kCopyResponseBodyMax)
        .whole(backend::kCopyOutResponse, kCopyResponseBodyMax)
        .whole(backend::kCopyBothResponse, kCopyResponseBodyMax)
        .empty(backend::kBindComplete)
        .empty(backend::kCloseComplete)
        .empty(backend::kCopyDone)
        .empty(backend::kEmptyQueryResponse)
        .empty(backend::kNoData)
        .empty(backend::kParseComplete)
        .empty(backend::kPortalSuspended);

}  // namespace fairlead::wire
