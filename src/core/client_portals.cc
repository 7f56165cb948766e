#include "core/client_portals.h"

#include <utility>

namespace fairlead::core {
namespace {

size_t cost_of(std::string_view name, const Execution& execution) {
  size_t bytes = name.size();
  for (const SettingChange& change : execution.set_config)
    bytes += change.name.size() + change.setting.bytes();
  return bytes;
}

}  // namespace

void ClientPortals::keep(std::string_view name, Execution execution) {
  drop(name);
  const size_t bytes_after = bytes_ + cost_of(name, execution);
  if (kept_.size() >= limits_.portals_max || bytes_after > limits_.bytes_max) return;
  bytes_ = bytes_after;
  kept_.emplace(name, std::move(execution));
}

void ClientPortals::drop(std::string_view name) {
  const auto found = kept_.find(name);
  if (found == kept_.end()) return;
  bytes_ -= cost_of(name, found->second);
  kept_.erase(found);
}

const Execution* ClientPortals::find(std::string_view name) const {
  const auto found = kept_.find(name);
  return found == kept_.end() ? nullptr : &found->second;
}

void ClientPortals::clear() {
  kept_.clear();
  bytes_ = 0;
}

}  // namespace fairlead::core
