// What a server sends: views of complete message bodies.
//
// As in frontend.h: a view points into the frame and dies with it, and decode() refuses a body that
// is cut short, too long or misshapen with kProtocolViolation. Messages without a body
// (ParseComplete, BindComplete, …) need no decoding. For sending these messages, see
// backend_encode.h; for ErrorResponse and NoticeResponse, error_fields.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace fairlead::wire {

/// What an Authentication message asks for. A server may send codes that are not named here.
enum class AuthCode : uint32_t {
  kOk = 0,
  kKerberosV5 = 2,
  kCleartextPassword = 3,
  kMd5Password = 5,
  kGss = 7,
  kGssContinue = 8,
  kSspi = 9,
  kSasl = 10,
  kSaslContinue = 11,
  kSaslFinal = 12,
};

struct Authentication {
  AuthCode code = AuthCode::kOk;
  std::string_view payload =
      {};  // kMd5Password: 4 bytes of salt. kSaslContinue, kSaslFinal: the data.

  static Result<Authentication> decode(std::string_view body);
  /// kSasl only: what the server offers, in its order of preference; at least one.
  Result<std::vector<std::string_view>> mechanisms() const;
  bool operator==(const Authentication&) const = default;
};

struct ParameterStatus {
  std::string_view name = {};
  std::string_view value = {};

  static Result<ParameterStatus> decode(std::string_view body);
  bool operator==(const ParameterStatus&) const = default;
};

struct BackendKeyData {
  uint32_t pid = 0;
  std::string_view secret = {};  // 4 bytes in protocol 3.0, up to 256 from 3.2 on (F2).

  static Result<BackendKeyData> decode(std::string_view body);
  bool operator==(const BackendKeyData&) const = default;
};

enum class TxStatus : char { kIdle = 'I', kInTransaction = 'T', kFailed = 'E' };

struct ReadyForQuery {
  TxStatus status = TxStatus::kIdle;

  static Result<ReadyForQuery> decode(std::string_view body);
  bool operator==(const ReadyForQuery&) const = default;
};

struct CommandComplete {
  std::string_view tag = {};  // "INSERT 0 5", "SELECT 3", "CREATE TABLE".

  static Result<CommandComplete> decode(std::string_view body);
  /// The tag without its numbers: "INSERT", "SELECT", "CREATE TABLE"; COMMIT or ROLLBACK (B11).
  std::string_view command() const;
  /// The last number of the tag, if it has one: rows selected, changed or copied.
  std::optional<uint64_t> rows() const;
  bool operator==(const CommandComplete&) const = default;
};

struct Column {
  std::string_view name = {};
  uint32_t table_oid = 0;
  int16_t attribute = 0;
  uint32_t type_oid = 0;
  int16_t type_size = 0;
  int32_t type_modifier = 0;
  uint16_t format = 0;  // 0 text, 1 binary.

  bool operator==(const Column&) const = default;
};

struct RowDescription {
  std::vector<Column> columns = {};

  static Result<RowDescription> decode(std::string_view body);
  bool operator==(const RowDescription&) const = default;
};

struct DataRow {
  std::vector<std::optional<std::string_view>> values = {};  // nullopt: NULL.

  static Result<DataRow> decode(std::string_view body);
  /// The same into a row that is used again, so that reading many rows allocates once.
  static Result<void> decode_into(std::string_view body, DataRow& row);
  bool operator==(const DataRow&) const = default;
};

struct ParameterDescription {
  std::vector<uint32_t> type_oids = {};

  static Result<ParameterDescription> decode(std::string_view body);
  bool operator==(const ParameterDescription&) const = default;
};

struct NegotiateProtocolVersion {
  uint16_t major = 0;
  uint16_t minor = 0;                                  // The newest one that the server speaks.
  std::vector<std::string_view> unknown_options = {};  // The _pq_. names that it does not know.

  static Result<NegotiateProtocolVersion> decode(std::string_view body);
  bool operator==(const NegotiateProtocolVersion&) const = default;
};

struct NotificationResponse {
  uint32_t pid = 0;
  std::string_view channel = {};
  std::string_view payload = {};

  static Result<NotificationResponse> decode(std::string_view body);
  bool operator==(const NotificationResponse&) const = default;
};

/// CopyInResponse, CopyOutResponse and CopyBothResponse.
struct CopyResponse {
  bool binary = false;
  std::string_view column_formats = {};  // Big-endian, 2 bytes each.

  static Result<CopyResponse> decode(std::string_view body);
  bool operator==(const CopyResponse&) const = default;
};

}  // namespace fairlead::wire
