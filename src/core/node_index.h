// The number of a node within one cluster's list of nodes, and so within one ClusterSnapshot. It
// means nothing for a list that was reloaded in another order: names live longer than indexes.
#pragma once

#include <cstdint>

namespace fairlead::core {

enum class NodeIndex : uint16_t {};

}  // namespace fairlead::core
