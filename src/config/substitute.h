// ${VARIABLE} in the strings of the file.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "config/load.h"

namespace fairlead::config {

/// Replaces each ${NAME} by the value of that environment variable. A variable that is not set is
/// an error, as an empty password would be a worse surprise. "$${" stands for a plain "${"; any
/// other "$" stands for itself. What was put in is not looked at again. No message holds a value.
Result<std::string> substitute(std::string_view text, const Environment& environment);

}  // namespace fairlead::config
