// Appends the messages that Fairlead itself sends to a client, as a server would.
//
// Every function appends one complete frame to `out` and cannot fail. Text ends at its first zero.
// Foreign bytes in an error's text must have gone through printable() before.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "wire/backend.h"
#include "wire/error_fields.h"

namespace fairlead::wire {

void append_authentication_ok(std::string& out);
void append_authentication_cleartext(std::string& out);
/// `salt` has 4 bytes.
void append_authentication_md5(std::string& out, std::string_view salt);
void append_authentication_sasl(std::string& out, std::span<const std::string_view> mechanisms);
void append_authentication_sasl_continue(std::string& out, std::string_view data);
void append_authentication_sasl_final(std::string& out, std::string_view data);

/// Answers a client that asked for a newer minor version or for options that are unknown (F1). The
/// message carries the whole version 3.`minor`, as PostgreSQL sends it and libpq reads it; the
/// documentation speaks of the minor version alone.
void append_negotiate_protocol_version(std::string& out, uint16_t minor,
                                       std::span<const std::string_view> unknown_options);
void append_backend_key_data(std::string& out, uint32_t pid, std::string_view secret);
void append_parameter_status(std::string& out, std::string_view name, std::string_view value);
void append_ready_for_query(std::string& out, TxStatus status);

/// An ErrorResponse made by Fairlead: S, V, C and M, D and H where the error has them, and R
/// "fairlead", so that nobody takes it for a server's (F27).
void append_error(std::string& out, Severity severity, const Error& error);
/// The same for a SQLSTATE that no ErrorCode has, such as 25P02.
void append_error(std::string& out, Severity severity, std::string_view sqlstate,
                  std::string_view message, std::string_view detail = {},
                  std::string_view hint = {});
/// A NoticeResponse. `severity` is kWarning or below; SQLSTATE 00000 unless another is given.
void append_notice(std::string& out, Severity severity, std::string_view message,
                   std::string_view detail = {}, std::string_view hint = {},
                   std::string_view sqlstate = "00000");

void append_command_complete(std::string& out, std::string_view tag);
/// Every column of type text (OID 25).
void append_text_row_description(std::string& out, std::span<const std::string_view> names);
/// nullopt is NULL.
void append_text_data_row(std::string& out,
                          std::span<const std::optional<std::string_view>> values);
void append_parameter_description(std::string& out, std::span<const uint32_t> type_oids);
void append_parse_complete(std::string& out);
void append_bind_complete(std::string& out);
void append_close_complete(std::string& out);
void append_no_data(std::string& out);
void append_empty_query_response(std::string& out);
void append_portal_suspended(std::string& out);

}  // namespace fairlead::wire
