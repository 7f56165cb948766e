// The SQL that gives one server connection the settings of one client.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "core/variable_set.h"

namespace fairlead::core {

/// One simple Query that turns `server_has` into `client_wants`; empty when they are equal (C3). It
/// is one implicit transaction: after an error the server has what it had. A role is left before
/// and taken after everything else, because settings are made with the rights of the login role
/// (C6).
///
/// The text is ASCII and reads the same under every standard_conforming_strings, backslash_quote
/// and client_encoding; no value can end its literal. Unknown values in `server_has` are
/// overwritten. Error: kInternal, when `client_wants` has one (it was to be read back first).
Result<std::string> replay_batch(const VariableSet& server_has, const VariableSet& client_wants);

/// Appends "SET [LOCAL] name TO value;", or what else is needed for it. Not for unknown values.
void append_set(std::string& out, std::string_view name, const Setting& setting, SetScope scope);

/// Appends a literal that reads the same under every setting. `text` is ASCII without zero bytes.
void append_literal(std::string& out, std::string_view text);

/// Appends "part"."part" for a canonical name.
void append_variable_name(std::string& out, std::string_view name);

}  // namespace fairlead::core
