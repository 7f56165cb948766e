// How Fairlead logs in when it asks for itself: the monitor's user, with settings that let nobody
// else's objects or defaults change what its questions mean.
#pragma once

#include <string>
#include <string_view>

#include "proxy/server_login.h"

namespace fairlead::proxy {

/// `login` for own questions. Parameters that `login` already carries win.
///
/// search_path: only pg_catalog, because a function that a database's owner made in another schema
/// would otherwise be a candidate for every call in our statements, and run as the monitor's user.
ServerLogin own_login(ServerLogin login, std::string_view application_name);

}  // namespace fairlead::proxy
