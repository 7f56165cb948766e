#include "wire/backend.h"

#include <fmt/format.h>

#include <charconv>

#include "wire/body_reader.h"
#include "wire/limits.h"

namespace fairlead::wire {
namespace {

std::unexpected<Error> malformed_from_server(std::string_view what) {
  return fail(ErrorCode::kProtocolViolation,
              fmt::format("malformed {} message from the server", what));
}

// A column of a RowDescription has an empty name's zero and 18 bytes of numbers at least.
constexpr size_t kColumnSizeMin = 19;

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The last word of `tag` with the space before it, if it is a number; else empty.
std::string_view last_number(std::string_view tag) {
  const size_t space = tag.rfind(' ');
  if (space == std::string_view::npos || !parse_number(tag.substr(space + 1))) return {};
  return tag.substr(space);
}

}  // namespace

Result<Authentication> Authentication::decode(std::string_view body) {
  BodyReader reader(body);
  const Authentication request{.code = AuthCode{reader.u32()}, .payload = reader.rest()};
  if (!reader.finished()) return malformed_from_server("Authentication");
  const bool takes_nothing =
      request.code == AuthCode::kOk || request.code == AuthCode::kCleartextPassword;
  if (takes_nothing && !request.payload.empty()) return malformed_from_server("Authentication");
  if (request.code == AuthCode::kMd5Password && request.payload.size() != 4)
    return malformed_from_server("Authentication");
  if (request.code == AuthCode::kSasl) {
    if (const auto offered = request.mechanisms(); !offered)
      return std::unexpected(offered.error());
  }
  return request;
}

Result<std::vector<std::string_view>> Authentication::mechanisms() const {
  BodyReader reader(payload);
  std::vector<std::string_view> names;
  while (true) {
    const std::string_view name = reader.c_string();
    if (name.empty()) break;  // The list's end, or a body that stops before it.
    names.push_back(name);
  }
  if (code != AuthCode::kSasl || !reader.finished() || names.empty())
    return malformed_from_server("AuthenticationSASL");
  return names;
}

Result<ParameterStatus> ParameterStatus::decode(std::string_view body) {
  BodyReader reader(body);
  const ParameterStatus status{.name = reader.c_string(), .value = reader.c_string()};
  if (!reader.finished()) return malformed_from_server("ParameterStatus");
  return status;
}

Result<BackendKeyData> BackendKeyData::decode(std::string_view body) {
  BodyReader reader(body);
  const BackendKeyData key{.pid = reader.u32(), .secret = reader.rest()};
  if (!reader.finished() || key.secret.size() < kCancelSecretMin ||
      key.secret.size() > kCancelSecretMax)
    return malformed_from_server("BackendKeyData");
  return key;
}

Result<ReadyForQuery> ReadyForQuery::decode(std::string_view body) {
  if (body != "I" && body != "T" && body != "E") return malformed_from_server("ReadyForQuery");
  return ReadyForQuery{TxStatus{body[0]}};
}

Result<CommandComplete> CommandComplete::decode(std::string_view body) {
  BodyReader reader(body);
  const CommandComplete complete{reader.c_string()};
  if (!reader.finished()) return malformed_from_server("CommandComplete");
  return complete;
}

std::string_view CommandComplete::command() const {
  std::string_view rest = tag;
  // "INSERT 0 5" has two: the first was the OID of the row.
  while (const size_t size = last_number(rest).size()) rest.remove_suffix(size);
  return rest;
}

std::optional<uint64_t> CommandComplete::rows() const {
  const std::string_view number = last_number(tag);
  if (number.empty()) return std::nullopt;
  return parse_number(number.substr(1));
}

Result<RowDescription> RowDescription::decode(std::string_view body) {
  BodyReader reader(body);
  const size_t count = reader.u16();
  if (count * kColumnSizeMin > reader.remaining()) return malformed_from_server("RowDescription");
  RowDescription description;
  description.columns.reserve(count);
  for (size_t i = 0; i < count; ++i)
    description.columns.push_back({.name = reader.c_string(),
                                   .table_oid = reader.u32(),
                                   .attribute = reader.i16(),
                                   .type_oid = reader.u32(),
                                   .type_size = reader.i16(),
                                   .type_modifier = reader.i32(),
                                   .format = reader.u16()});
  if (!reader.finished()) return malformed_from_server("RowDescription");
  return description;
}

Result<void> DataRow::decode_into(std::string_view body, DataRow& row) {
  row.values.clear();
  BodyReader reader(body);
  const size_t count = reader.u16();
  if (count * 4 > reader.remaining()) return malformed_from_server("DataRow");
  row.values.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const int32_t size = reader.i32();
    if (size == -1)
      row.values.emplace_back(std::nullopt);
    else if (size < 0)
      return malformed_from_server("DataRow");
    else
      row.values.emplace_back(reader.bytes(static_cast<size_t>(size)));
  }
  if (!reader.finished()) return malformed_from_server("DataRow");
  return {};
}

Result<DataRow> DataRow::decode(std::string_view body) {
  DataRow row;
  if (Result<void> done = decode_into(body, row); !done) return std::unexpected(done.error());
  return row;
}

Result<ParameterDescription> ParameterDescription::decode(std::string_view body) {
  BodyReader reader(body);
  const size_t count = reader.u16();
  if (count * 4 != reader.remaining()) return malformed_from_server("ParameterDescription");
  ParameterDescription description;
  description.type_oids.reserve(count);
  for (size_t i = 0; i < count; ++i) description.type_oids.push_back(reader.u32());
  if (!reader.finished()) return malformed_from_server("ParameterDescription");
  return description;
}

Result<NegotiateProtocolVersion> NegotiateProtocolVersion::decode(std::string_view body) {
  BodyReader reader(body);
  NegotiateProtocolVersion answer{.major = reader.u16(), .minor = reader.u16()};
  const size_t count = reader.u32();
  if (count > reader.remaining()) return malformed_from_server("NegotiateProtocolVersion");
  answer.unknown_options.reserve(count);
  for (size_t i = 0; i < count; ++i) answer.unknown_options.push_back(reader.c_string());
  if (!reader.finished()) return malformed_from_server("NegotiateProtocolVersion");
  return answer;
}

Result<NotificationResponse> NotificationResponse::decode(std::string_view body) {
  BodyReader reader(body);
  const NotificationResponse notification{
      .pid = reader.u32(), .channel = reader.c_string(), .payload = reader.c_string()};
  if (!reader.finished()) return malformed_from_server("NotificationResponse");
  return notification;
}

Result<CopyResponse> CopyResponse::decode(std::string_view body) {
  BodyReader reader(body);
  const uint8_t format = reader.u8();
  CopyResponse response{.binary = format == 1};
  response.column_formats = reader.bytes(size_t{reader.u16()} * 2);
  if (!reader.finished() || format > 1) return malformed_from_server("CopyResponse");
  return response;
}

}  // namespace fairlead::wire
