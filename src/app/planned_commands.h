// The commands that are promised and not built yet: whoever types one is told so, and what does the
// job until then. They are in no list of commands. Whoever builds one removes its row.
#pragma once

#include <optional>
#include <string_view>

namespace fairlead::app {

/// What to do instead of `fairlead NAME`; nullopt: nobody has promised such a command.
std::optional<std::string_view> instead_of_planned(std::string_view name);

}  // namespace fairlead::app
