// Sends a client's message on under another statement name.
//
// A client's prepared statement has another name on each server (C10), so the relay rewrites the
// names in Parse, Bind, Describe and Close and nothing else: every other byte goes on as it came.
// New names are ours, at most kNameMax long and without a zero.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "wire/frame.h"
#include "wire/frontend.h"

namespace fairlead::wire {

void append_parse_renamed(std::string& out, const Parse& parse, std::string_view new_statement);
void append_bind_renamed(std::string& out, const Bind& bind, std::string_view new_statement);
void append_describe_renamed(std::string& out, const Describe& describe, std::string_view new_name);
void append_close_renamed(std::string& out, const Close& close, std::string_view new_name);

/// The same for a message that streams through: appends the new head, whose length is that of the
/// whole renamed message, after which the kMiddle and kLast pieces follow unchanged. `first` is the
/// kFirst piece. Error: kLimitExceeded if a name does not end within it, or if the renamed message
/// would be longer than is legal; nothing is appended then.
Result<void> append_bind_head_renamed(std::string& out, const Piece& first,
                                      std::string_view new_statement);
Result<void> append_parse_head_renamed(std::string& out, const Piece& first,
                                       std::string_view new_statement);

}  // namespace fairlead::wire
