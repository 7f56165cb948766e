#include "wire/rename.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "wire/frame_builder.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"

namespace fairlead::wire {
namespace {

// Appends the head of `first` with `old_name`, a view into it, exchanged.
Result<void> append_head_renamed(std::string& out, const Piece& first, std::string_view old_name,
                                 std::string_view new_name) {
  const size_t body_size = first.body_size - old_name.size() + new_name.size();
  if (body_size > kLargeBodyMax)
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("message of type '{}' is too long: {} bytes", first.type, body_size));

  const std::string_view body = first.body();
  const auto name_at = static_cast<size_t>(old_name.data() - body.data());
  out.push_back(first.type);
  append_u32(out, static_cast<uint32_t>(body_size) + kEmptyFrameLength);
  out.append(body.substr(0, name_at));
  out.append(new_name);
  out.append(body.substr(name_at + old_name.size()));
  return {};
}

}  // namespace

void append_parse_renamed(std::string& out, const Parse& parse, std::string_view new_statement) {
  FrameBuilder(out, frontend::kParse)
      .c_string(new_statement)
      .c_string(parse.query)
      .u16(parse.parameter_oids.size() / 4)
      .bytes(parse.parameter_oids);
}

void append_bind_renamed(std::string& out, const Bind& bind, std::string_view new_statement) {
  FrameBuilder(out, frontend::kBind).c_string(bind.portal).c_string(new_statement).bytes(bind.tail);
}

void append_describe_renamed(std::string& out, const Describe& describe,
                             std::string_view new_name) {
  append_describe(out, describe.kind, new_name);
}

void append_close_renamed(std::string& out, const Close& close, std::string_view new_name) {
  append_close(out, close.kind, new_name);
}

Result<void> append_bind_head_renamed(std::string& out, const Piece& first,
                                      std::string_view new_statement) {
  require(first.kind == Piece::Kind::kFirst && first.type == frontend::kBind,
          "only the first piece of a Bind has a Bind's head");
  const Result<Bind> bind = Bind::decode_head(first.body());
  if (!bind) return std::unexpected(bind.error());
  return append_head_renamed(out, first, bind->statement, new_statement);
}

Result<void> append_parse_head_renamed(std::string& out, const Piece& first,
                                       std::string_view new_statement) {
  require(first.kind == Piece::Kind::kFirst && first.type == frontend::kParse,
          "only the first piece of a Parse has a Parse's head");
  const Result<std::string_view> statement = Parse::statement_in_head(first.body());
  if (!statement) return std::unexpected(statement.error());
  return append_head_renamed(out, first, *statement, new_statement);
}

}  // namespace fairlead::wire
