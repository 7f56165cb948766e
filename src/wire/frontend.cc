#include "wire/frontend.h"

#include <fmt/format.h>

#include "wire/body_reader.h"
#include "wire/limits.h"

namespace fairlead::wire {
namespace {

// PostgreSQL's smallest Bind tail: three counts of zero.
constexpr size_t kBindTailMin = 6;

std::unexpected<Error> malformed(std::string_view what) {
  return fail(ErrorCode::kProtocolViolation, fmt::format("malformed {} message", what));
}

std::unexpected<Error> name_too_long(std::string_view what) {
  return fail(ErrorCode::kLimitExceeded,
              fmt::format("a name in a {} message is longer than {} bytes", what, kNameMax), "",
              "PostgreSQL tells names apart by their first 63 bytes: use shorter ones.");
}

Result<Bind> decode_bind(std::string_view body, size_t tail_min) {
  BodyReader reader(body);
  const Bind bind{
      .portal = reader.c_string(), .statement = reader.c_string(), .tail = reader.rest()};
  if (!reader.finished() || bind.tail.size() < tail_min) return malformed("Bind");
  if (bind.portal.size() > kNameMax || bind.statement.size() > kNameMax)
    return name_too_long("Bind");
  return bind;
}

// Describe and Close have the same body.
template <class Message>
Result<Message> decode_named(std::string_view body, std::string_view what) {
  BodyReader reader(body);
  const auto kind = static_cast<char>(reader.u8());
  const Message message{.kind = NameKind{kind}, .name = reader.c_string()};
  if (!reader.finished() || (kind != 'S' && kind != 'P')) return malformed(what);
  if (message.name.size() > kNameMax) return name_too_long(what);
  return message;
}

// A message that is one string.
template <class Message>
Result<Message> decode_string(std::string_view body, std::string_view what) {
  BodyReader reader(body);
  const std::string_view text = reader.c_string();
  if (!reader.finished()) return malformed(what);
  return Message{text};
}

}  // namespace

Result<Query> Query::decode(std::string_view body) { return decode_string<Query>(body, "Query"); }

Result<Parse> Parse::decode(std::string_view body) {
  BodyReader reader(body);
  Parse parse{.statement = reader.c_string(), .query = reader.c_string()};
  const uint16_t count = reader.u16();
  parse.parameter_oids = reader.bytes(size_t{count} * 4);
  if (!reader.finished()) return malformed("Parse");
  if (parse.statement.size() > kNameMax) return name_too_long("Parse");
  return parse;
}

Result<std::string_view> Parse::statement_in_head(std::string_view head) {
  BodyReader reader(head);
  const std::string_view statement = reader.c_string();
  if (!reader.ok() || statement.size() > kNameMax) return name_too_long("Parse");
  return statement;
}

Result<Bind> Bind::decode(std::string_view body) { return decode_bind(body, kBindTailMin); }

Result<Bind> Bind::decode_head(std::string_view head) {
  // The head has room for two names of legal length (kHeadMin), so one that does not end is too
  // long.
  Result<Bind> bind = decode_bind(head, 0);
  if (!bind) return name_too_long("Bind");
  return bind;
}

Result<BindParameters> Bind::parameters() const {
  BodyReader reader(tail);
  BindParameters out;
  const size_t format_count = reader.u16();
  out.formats = reader.bytes(format_count * 2);
  const size_t count = reader.u16();
  // Each value has at least its length, so this bounds what a lie can make us allocate.
  if (!reader.ok() || count * 4 > reader.remaining()) return malformed("Bind");
  if (format_count > 1 && format_count != count)
    return fail(ErrorCode::kProtocolViolation,
                fmt::format("bind message has {} parameter formats but {} parameters", format_count,
                            count));

  out.values.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const int32_t size = reader.i32();
    if (size == -1)
      out.values.emplace_back(std::nullopt);
    else if (size < 0)
      return malformed("Bind");
    else
      out.values.emplace_back(reader.bytes(static_cast<size_t>(size)));
  }
  out.result_formats = reader.bytes(size_t{reader.u16()} * 2);
  if (!reader.finished()) return malformed("Bind");
  return out;
}

bool BindParameters::is_text(size_t index) const {
  if (formats.empty()) return true;
  const size_t at = formats.size() == 2 ? 0 : index * 2;
  return at + 2 <= formats.size() && load_u16(formats.data() + at) == 0;
}

std::optional<std::string_view> BindParameters::text(size_t index) const {
  if (index >= values.size() || !is_text(index)) return std::nullopt;
  return values[index];
}

Result<Describe> Describe::decode(std::string_view body) {
  return decode_named<Describe>(body, "Describe");
}

Result<Close> Close::decode(std::string_view body) { return decode_named<Close>(body, "Close"); }

Result<Execute> Execute::decode(std::string_view body) {
  BodyReader reader(body);
  const Execute execute{.portal = reader.c_string(), .max_rows = reader.u32()};
  if (!reader.finished()) return malformed("Execute");
  if (execute.portal.size() > kNameMax) return name_too_long("Execute");
  return execute;
}

Result<FunctionCall> FunctionCall::decode(std::string_view body) {
  BodyReader reader(body);
  const FunctionCall call{.function_oid = reader.u32(), .tail = reader.rest()};
  if (!reader.finished() || call.tail.size() < kBindTailMin) return malformed("FunctionCall");
  return call;
}

Result<CopyFail> CopyFail::decode(std::string_view body) {
  return decode_string<CopyFail>(body, "CopyFail");
}

Result<PasswordMessage> PasswordMessage::decode(std::string_view body) {
  return decode_string<PasswordMessage>(body, "Password");
}

Result<SaslInitialResponse> SaslInitialResponse::decode(std::string_view body) {
  BodyReader reader(body);
  SaslInitialResponse response{.mechanism = reader.c_string()};
  const int32_t size = reader.i32();
  if (size < -1) return malformed("SASLInitialResponse");
  if (size >= 0) response.data = reader.bytes(static_cast<size_t>(size));
  if (!reader.finished()) return malformed("SASLInitialResponse");
  return response;
}

}  // namespace fairlead::wire
