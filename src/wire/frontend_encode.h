// Appends the messages that Fairlead itself sends to a server, as a client would.
//
// Every function appends one complete frame to `out` and cannot fail. Text ends at its first zero.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "wire/frontend.h"

namespace fairlead::wire {

void append_query(std::string& out, std::string_view text);
void append_parse(std::string& out, std::string_view statement, std::string_view query,
                  std::span<const uint32_t> parameter_oids = {});
/// Parameters and results as text; nullopt is NULL. At most 65535 parameters.
void append_bind(std::string& out, std::string_view portal, std::string_view statement,
                 std::span<const std::optional<std::string_view>> parameters = {});
void append_describe(std::string& out, NameKind kind, std::string_view name);
void append_execute(std::string& out, std::string_view portal, uint32_t max_rows = 0);
void append_close(std::string& out, NameKind kind, std::string_view name);
void append_sync(std::string& out);
void append_flush(std::string& out);
void append_terminate(std::string& out);
void append_copy_data(std::string& out, std::string_view data);
void append_copy_done(std::string& out);
void append_copy_fail(std::string& out, std::string_view reason);
void append_password(std::string& out, std::string_view password);
/// nullopt: no initial data, which is not the same as empty data.
void append_sasl_initial_response(std::string& out, std::string_view mechanism,
                                  std::optional<std::string_view> data);
void append_sasl_response(std::string& out, std::string_view data);

}  // namespace fairlead::wire
