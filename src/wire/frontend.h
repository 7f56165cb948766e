// What a client sends: views of complete message bodies.
//
// A view points into the frame and dies with it. decode() takes the body (Piece::body() of a kWhole
// piece) and refuses one that is cut short, too long or misshapen with kProtocolViolation, as
// PostgreSQL does; a name above kNameMax is kLimitExceeded. Sync, Flush, Terminate and CopyDone
// have no body, and the frame cutter has seen to that. For sending these messages, see
// frontend_encode.h and rename.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace fairlead::wire {

struct Query {
  std::string_view text = {};  // Possibly several statements, in the client's encoding.

  static Result<Query> decode(std::string_view body);
  bool operator==(const Query&) const = default;
};

struct Parse {
  std::string_view statement = {};       // Empty: the unnamed statement.
  std::string_view query = {};           // One statement, or none.
  std::string_view parameter_oids = {};  // Big-endian, 4 bytes each; forwarded, never interpreted.

  static Result<Parse> decode(std::string_view body);
  /// The statement's name out of the head of a streamed Parse: a kFirst piece's body().
  static Result<std::string_view> statement_in_head(std::string_view head);
  bool operator==(const Parse&) const = default;
};

/// The values of a Bind, for whoever wants to look at one; the relay does not.
struct BindParameters {
  std::string_view formats =
      {};  // Big-endian, 2 bytes each: none (all text), one for all, or one each.
  std::vector<std::optional<std::string_view>> values = {};  // nullopt: NULL.
  std::string_view result_formats = {};  // Like `formats`, for the result's columns.

  /// Whether the value of that index came as text (format 0).
  bool is_text(size_t index) const;
  /// The value if it is there, not NULL, and text.
  std::optional<std::string_view> text(size_t index) const;
  bool operator==(const BindParameters&) const = default;
};

struct Bind {
  std::string_view portal = {};     // Empty: the unnamed portal.
  std::string_view statement = {};  // Empty: the unnamed statement.
  std::string_view tail = {};  // Formats, values, result formats; forwarded, never interpreted.

  /// Reads the names only: the tail is the server's to judge, and walking a thousand values costs.
  static Result<Bind> decode(std::string_view body);
  /// The same for the head of a streamed Bind (a kFirst piece's body()): `tail` is what the head
  /// has of it.
  static Result<Bind> decode_head(std::string_view head);
  /// Walks the tail of a whole Bind and checks all of it. Counts are checked against the bytes that
  /// are there before anything is allocated.
  Result<BindParameters> parameters() const;
  bool operator==(const Bind&) const = default;
};

/// What Describe and Close name.
enum class NameKind : char { kStatement = 'S', kPortal = 'P' };

struct Describe {
  NameKind kind = NameKind::kStatement;
  std::string_view name = {};

  static Result<Describe> decode(std::string_view body);
  bool operator==(const Describe&) const = default;
};

struct Close {
  NameKind kind = NameKind::kStatement;
  std::string_view name = {};

  static Result<Close> decode(std::string_view body);
  bool operator==(const Close&) const = default;
};

struct Execute {
  std::string_view portal = {};
  uint32_t max_rows = 0;  // 0: no limit. With one, PortalSuspended may be the answer (C12d).

  static Result<Execute> decode(std::string_view body);
  bool operator==(const Execute&) const = default;
};

/// The old fast-path call. Goes to the primary (F28); only the function's OID is of interest.
struct FunctionCall {
  uint32_t function_oid = 0;
  std::string_view tail = {};

  static Result<FunctionCall> decode(std::string_view body);
  bool operator==(const FunctionCall&) const = default;
};

struct CopyFail {
  std::string_view reason = {};

  static Result<CopyFail> decode(std::string_view body);
  bool operator==(const CopyFail&) const = default;
};

/// The three meanings of 'p'. Which one it is follows from the authentication request that it
/// answers.
struct PasswordMessage {
  std::string_view password = {};  // Cleartext, or "md5…". Never log it.

  static Result<PasswordMessage> decode(std::string_view body);
};

struct SaslInitialResponse {
  std::string_view mechanism = {};
  std::optional<std::string_view> data =
      {};  // nullopt: none was sent, which is not the same as empty.

  static Result<SaslInitialResponse> decode(std::string_view body);
  bool operator==(const SaslInitialResponse&) const = default;
};

/// The whole body is the mechanism's data: nothing can be wrong with it here.
struct SaslResponse {
  std::string_view data = {};

  static Result<SaslResponse> decode(std::string_view body) { return SaslResponse{body}; }
  bool operator==(const SaslResponse&) const = default;
};

}  // namespace fairlead::wire
