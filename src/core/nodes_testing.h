// For tests only: nodes by their number in the list.
#pragma once

#include "core/node_index.h"

namespace fairlead::core {

inline NodeIndex node(int number) { return NodeIndex{static_cast<uint16_t>(number)}; }

}  // namespace fairlead::core
