#include "wire/frontend_encode.h"

#include "base/assert.h"
#include "wire/frame_builder.h"
#include "wire/message_type.h"

namespace fairlead::wire {

using namespace frontend;

void append_query(std::string& out, std::string_view text) {
  FrameBuilder(out, kQuery).c_string(text);
}

void append_parse(std::string& out, std::string_view statement, std::string_view query,
                  std::span<const uint32_t> parameter_oids) {
  require(parameter_oids.size() <= 65535, "a Parse has at most 65535 parameters");
  FrameBuilder frame(out, kParse);
  frame.c_string(statement).c_string(query).u16(parameter_oids.size());
  for (const uint32_t oid : parameter_oids) frame.u32(oid);
}

void append_bind(std::string& out, std::string_view portal, std::string_view statement,
                 std::span<const std::optional<std::string_view>> parameters) {
  require(parameters.size() <= 65535, "a Bind has at most 65535 parameters");
  FrameBuilder frame(out, kBind);
  frame.c_string(portal).c_string(statement).u16(0).u16(parameters.size());
  for (const auto& value : parameters) {
    if (value)
      frame.counted(*value);
    else
      frame.u32(UINT32_MAX);  // -1: NULL.
  }
  frame.u16(0);
}

void append_describe(std::string& out, NameKind kind, std::string_view name) {
  FrameBuilder(out, kDescribe).byte(static_cast<char>(kind)).c_string(name);
}

void append_execute(std::string& out, std::string_view portal, uint32_t max_rows) {
  FrameBuilder(out, kExecute).c_string(portal).u32(max_rows);
}

void append_close(std::string& out, NameKind kind, std::string_view name) {
  FrameBuilder(out, kClose).byte(static_cast<char>(kind)).c_string(name);
}

void append_sync(std::string& out) { FrameBuilder(out, kSync); }
void append_flush(std::string& out) { FrameBuilder(out, kFlush); }
void append_terminate(std::string& out) { FrameBuilder(out, kTerminate); }

void append_copy_data(std::string& out, std::string_view data) {
  FrameBuilder(out, kCopyData).bytes(data);
}

void append_copy_done(std::string& out) { FrameBuilder(out, kCopyDone); }

void append_copy_fail(std::string& out, std::string_view reason) {
  FrameBuilder(out, kCopyFail).c_string(reason);
}

void append_password(std::string& out, std::string_view password) {
  FrameBuilder(out, kPassword).c_string(password);
}

void append_sasl_initial_response(std::string& out, std::string_view mechanism,
                                  std::optional<std::string_view> data) {
  FrameBuilder frame(out, kPassword);
  frame.c_string(mechanism);
  if (data)
    frame.counted(*data);
  else
    frame.u32(UINT32_MAX);  // -1: none.
}

void append_sasl_response(std::string& out, std::string_view data) {
  FrameBuilder(out, kPassword).bytes(data);
}

}  // namespace fairlead::wire
