#include "core/server_state.h"

namespace fairlead::core {

void ServerState::on_parameter(std::string_view name, std::string_view value) {
  if (name == "in_hot_standby") in_hot_standby = value == "on";
  if (!describes_node(name)) reported.set(name, value);
}

}  // namespace fairlead::core
