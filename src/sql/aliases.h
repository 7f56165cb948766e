// What other poolers call Fairlead's settings, so that an application can move without a change:
// PgCat's SET SERVER ROLE, PgDog's setting pgdog.role. Their comments are in hints.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sql/lexer.h"

namespace fairlead::sql {

/// A command that PostgreSQL's grammar does not know, in Fairlead's words: SET SERVER ROLE TO
/// 'primary', 'replica', 'any', 'auto' or 'default', and SHOW SERVER ROLE. nullopt: none of them.
std::optional<std::string> translate_command(std::string_view text, LexOptions options);

/// The name of Fairlead's setting that `name`, in lower case, is another word for; else `name`.
std::string_view translate_setting(std::string_view name);

}  // namespace fairlead::sql
