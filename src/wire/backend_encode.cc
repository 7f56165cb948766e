#include "wire/backend_encode.h"

#include "base/assert.h"
#include "wire/frame_builder.h"
#include "wire/message_type.h"
#include "wire/startup.h"

namespace fairlead::wire {

using namespace backend;

namespace {

constexpr uint32_t kTextOid = 25;

struct ErrorText {
  std::string_view sqlstate;
  std::string_view message;
  std::string_view detail;
  std::string_view hint;
};

void append_fields(std::string& out, char type, Severity severity, const ErrorText& text) {
  const std::string_view severity_name = to_string(severity);
  FrameBuilder frame(out, type);
  const auto field = [&](char code, std::string_view value) {
    if (!value.empty()) frame.byte(code).c_string(value);
  };
  field('S', severity_name);
  field('V', severity_name);
  field('C', text.sqlstate);
  frame.byte('M').c_string(text.message);  // Mandatory, even when there is nothing to say.
  field('D', text.detail);
  field('H', text.hint);
  field('R', "fairlead");
  frame.byte('\0');
}

void append_authentication(std::string& out, AuthCode code, std::string_view payload) {
  FrameBuilder(out, kAuthentication).u32(static_cast<uint32_t>(code)).bytes(payload);
}

}  // namespace

void append_authentication_ok(std::string& out) { append_authentication(out, AuthCode::kOk, {}); }

void append_authentication_cleartext(std::string& out) {
  append_authentication(out, AuthCode::kCleartextPassword, {});
}

void append_authentication_md5(std::string& out, std::string_view salt) {
  require(salt.size() == 4, "an md5 salt has 4 bytes");
  append_authentication(out, AuthCode::kMd5Password, salt);
}

void append_authentication_sasl(std::string& out, std::span<const std::string_view> mechanisms) {
  FrameBuilder frame(out, kAuthentication);
  frame.u32(static_cast<uint32_t>(AuthCode::kSasl));
  for (const std::string_view name : mechanisms) frame.c_string(name);
  frame.byte('\0');
}

void append_authentication_sasl_continue(std::string& out, std::string_view data) {
  append_authentication(out, AuthCode::kSaslContinue, data);
}

void append_authentication_sasl_final(std::string& out, std::string_view data) {
  append_authentication(out, AuthCode::kSaslFinal, data);
}

void append_negotiate_protocol_version(std::string& out, uint16_t minor,
                                       std::span<const std::string_view> unknown_options) {
  FrameBuilder frame(out, kNegotiateProtocolVersion);
  frame.u16(kProtocolMajor).u16(minor).u32(static_cast<uint32_t>(unknown_options.size()));
  for (const std::string_view name : unknown_options) frame.c_string(name);
}

void append_backend_key_data(std::string& out, uint32_t pid, std::string_view secret) {
  require(secret.size() >= kCancelSecretMin && secret.size() <= kCancelSecretMax,
          "a cancel secret has 4 to 256 bytes");
  FrameBuilder(out, kBackendKeyData).u32(pid).bytes(secret);
}

void append_parameter_status(std::string& out, std::string_view name, std::string_view value) {
  FrameBuilder(out, kParameterStatus).c_string(name).c_string(value);
}

void append_ready_for_query(std::string& out, TxStatus status) {
  FrameBuilder(out, kReadyForQuery).byte(static_cast<char>(status));
}

void append_error(std::string& out, Severity severity, const Error& error) {
  append_error(out, severity, sqlstate(error.code), error.message, error.detail, error.hint);
}

void append_error(std::string& out, Severity severity, std::string_view sqlstate,
                  std::string_view message, std::string_view detail, std::string_view hint) {
  append_fields(out, kErrorResponse, severity, {sqlstate, message, detail, hint});
}

void append_notice(std::string& out, Severity severity, std::string_view message,
                   std::string_view detail, std::string_view hint, std::string_view sqlstate) {
  append_fields(out, kNoticeResponse, severity, {sqlstate, message, detail, hint});
}

void append_command_complete(std::string& out, std::string_view tag) {
  FrameBuilder(out, kCommandComplete).c_string(tag);
}

void append_text_row_description(std::string& out, std::span<const std::string_view> names) {
  require(names.size() <= 65535, "a row has at most 65535 columns");
  FrameBuilder frame(out, kRowDescription);
  frame.u16(names.size());
  for (const std::string_view name : names) {
    frame.c_string(name).u32(0).u16(0);  // Of no table.
    frame.u32(kTextOid).u16(0xFFFF).u32(
        UINT32_MAX);  // Of variable size (-1), without modifier (-1).
    frame.u16(0);     // As text.
  }
}

void append_text_data_row(std::string& out,
                          std::span<const std::optional<std::string_view>> values) {
  require(values.size() <= 65535, "a row has at most 65535 columns");
  FrameBuilder frame(out, kDataRow);
  frame.u16(values.size());
  for (const auto& value : values) {
    if (value)
      frame.counted(*value);
    else
      frame.u32(UINT32_MAX);  // -1: NULL.
  }
}

void append_parameter_description(std::string& out, std::span<const uint32_t> type_oids) {
  require(type_oids.size() <= 65535, "a statement has at most 65535 parameters");
  FrameBuilder frame(out, kParameterDescription);
  frame.u16(type_oids.size());
  for (const uint32_t oid : type_oids) frame.u32(oid);
}

void append_parse_complete(std::string& out) { FrameBuilder(out, kParseComplete); }
void append_bind_complete(std::string& out) { FrameBuilder(out, kBindComplete); }
void append_close_complete(std::string& out) { FrameBuilder(out, kCloseComplete); }
void append_no_data(std::string& out) { FrameBuilder(out, kNoData); }
void append_empty_query_response(std::string& out) { FrameBuilder(out, kEmptyQueryResponse); }
void append_portal_suspended(std::string& out) { FrameBuilder(out, kPortalSuspended); }

}  // namespace fairlead::wire
