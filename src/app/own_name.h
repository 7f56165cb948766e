// What to type to run this program again, for the commands that it suggests.
#pragma once

#include <string>
#include <string_view>

namespace fairlead::app {

/// "fairlead" where a shell with this PATH finds the file `own` under that name, else `own`.
std::string name_in_path(const std::string& own, std::string_view path);

/// The same for the running program.
std::string own_name();

}  // namespace fairlead::app
