#include "proxy/probe_login.h"

#include <algorithm>

namespace fairlead::proxy {

ServerLogin own_login(ServerLogin login, std::string_view application_name) {
  const auto set = [&](std::string_view name, std::string_view value) {
    const bool is_set =
        std::ranges::any_of(login.parameters, [&](const auto& pair) { return pair.first == name; });
    if (!is_set) login.parameters.emplace_back(name, value);
  };
  set("application_name", application_name);
  set("search_path", "pg_catalog");
  set("client_encoding", "UTF8");
  set("default_transaction_read_only", "on");  // Nothing that we ask may change anything.
  set("default_transaction_isolation", "read committed");  // WAIT FOR LSN takes no other.
  login.way_out = "check monitor_password, and that it is the user's on the servers";
  return login;
}

}  // namespace fairlead::proxy
