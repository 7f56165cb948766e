#include "core/node_slots.h"

#include <algorithm>

namespace fairlead::core {

NodeSlots::Change NodeSlots::update(std::span<const std::string> names, Time now,
                                    const std::function<bool(NodeIndex)>& is_unused) {
  Change change;
  for (size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.is_gone || std::ranges::find(names, slot.name) != names.end()) continue;
    slot.is_gone = true;
    slot.gone_since = now;
    change.removed.push_back(NodeIndex{static_cast<uint16_t>(i)});
  }
  for (const std::string& name : names) {
    const size_t place = find_place(name, now, is_unused);
    if (place == kSlotsMax) {
      change.left_out.push_back(name);
      continue;
    }
    if (place == slots_.size()) slots_.push_back({.name = {}, .is_gone = true});
    Slot& slot = slots_[place];
    if (!slot.is_gone) continue;  // It was there before.
    slot = {.name = name};
    change.added.push_back(NodeIndex{static_cast<uint16_t>(place)});
  }
  return change;
}

// Its own number, else a new one, else that of the first one of which nothing is left.
size_t NodeSlots::find_place(std::string_view name, Time now,
                             const std::function<bool(NodeIndex)>& is_unused) const {
  const auto own = std::ranges::find(slots_, name, &Slot::name);
  if (own != slots_.end()) return static_cast<size_t>(own - slots_.begin());
  for (size_t i = 0; i < slots_.size(); ++i) {
    const bool is_old = slots_[i].is_gone && now - slots_[i].gone_since >= kReuseAfter;
    if (is_old && is_unused(NodeIndex{static_cast<uint16_t>(i)})) return i;
  }
  return slots_.size();  // kSlotsMax when all are taken.
}

}  // namespace fairlead::core
