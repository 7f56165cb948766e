// Every limit of the wire layer, in bytes unless the name says otherwise, each with its reason.
//
// Two kinds: the largest body that is legal at all (beyond it the peer is broken or hostile), and
// the largest body that is given whole, which bounds what a relay must be able to hold (F20).
#pragma once

#include <cstddef>
#include <cstdint>

namespace fairlead::wire {

/// A type byte and a length, which counts itself but not the type byte.
inline constexpr size_t kFrameHeaderSize = 5;
/// What the length field says of a frame without a body.
inline constexpr uint32_t kEmptyFrameLength = 4;

/// PostgreSQL allocates at most MaxAllocSize (1 GiB - 1) for one message; its own reader refuses
/// lengths from PQ_LARGE_MESSAGE_LIMIT on. Nothing larger can be answered, so nothing larger is
/// legal.
inline constexpr uint32_t kLargeBodyMax = 0x3FFFFFFF - 1 - kEmptyFrameLength;

/// A statement's or portal's name. PostgreSQL itself tells names apart by 63 bytes only; drivers
/// make names of 10 to 60 bytes.
inline constexpr uint32_t kNameMax = 2047;
/// How much of the body the first piece of a streamed frame has at least: both names of a Bind with
/// their zeros, or the fields before M of an ErrorResponse.
inline constexpr uint32_t kHeadMin = 2 * (kNameMax + 1);

/// SQL text is classified only when it is held whole. 1 MiB is far above what people and ORMs
/// write; what is larger is bulk data in literals, a write, and goes to the primary unread.
inline constexpr uint32_t kQueryWholeMax = 1 << 20;
/// A Bind is held whole so that it can be sent again elsewhere (A60). What is larger carries files.
inline constexpr uint32_t kBindWholeMax = 256 << 10;
/// Describe and Close: a kind, a name, its zero.
inline constexpr uint32_t kDescribeBodyMax = 1 + kNameMax + 1;
/// Execute: a name, its zero, a row count.
inline constexpr uint32_t kExecuteBodyMax = kNameMax + 1 + 4;
/// CopyFail's reason. PostgreSQL's PQ_SMALL_MESSAGE_LIMIT.
inline constexpr uint32_t kCopyFailBodyMax = 10000 - kEmptyFrameLength;
/// PostgreSQL's PG_MAX_AUTH_TOKEN_LENGTH. Also what a stranger may make us hold before he has
/// proved who he is.
inline constexpr uint32_t kPasswordBodyMax = 65535;

/// Authentication requests and version negotiation, of which SASL and a list of options are the
/// longest.
inline constexpr uint32_t kHandshakeBodyMax = 64 << 10;
/// ParameterStatus. libpq gives up on one above 30,000.
inline constexpr uint32_t kParameterStatusBodyMax = 64 << 10;
/// PostgreSQL's tags fit in 64; its descendants' are longer.
inline constexpr uint32_t kCommandTagBodyMax = 4 << 10;
/// ErrorResponse and NoticeResponse. A message above it (RAISE with a document in it) streams
/// through.
inline constexpr uint32_t kErrorWholeMax = 64 << 10;
/// NotificationResponse. A notification fits into one of the server's pages, of 32 KiB at most, and
/// may grow fourfold in the client's encoding. It may come at any moment, so that whatever waits
/// for its end would wait for a slow network.
inline constexpr uint32_t kNotificationWholeMax = 128 << 10;
/// CopyIn-, CopyOut- and CopyBothResponse: a format, a count and one format per column, at most
/// 65535.
inline constexpr uint32_t kCopyResponseBodyMax = 1 + 2 + 2 * 65535;
/// ParameterDescription: a count and one OID per parameter, at most 65535.
inline constexpr uint32_t kParameterDescriptionBodyMax = 2 + 4 * 65535;

/// What follows the length of a start-up packet: PostgreSQL's MAX_STARTUP_PACKET_LENGTH (F4).
inline constexpr uint32_t kStartupBodyMax = 10000;

/// A cancel key's secret: 4 bytes exactly in protocol 3.0, up to 256 from 3.2 on (F2).
inline constexpr size_t kCancelSecretMin = 4;
inline constexpr size_t kCancelSecretMax = 256;

}  // namespace fairlead::wire
