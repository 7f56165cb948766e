// Which number each node of a list has that changes at run time (a reload, or a cluster manager).
//
// A number (NodeIndex) is used by everything that belongs to a node: its pools, its counts, what a
// session has seen there. So a node that leaves the list keeps its number, as one that is gone, and
// has it again when it comes back. Only when there is nothing left of it, and it has been gone for
// long, does another one get it: where addresses are used once (containers), the numbers must not
// grow for ever. Pure; belongs to the monitor.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "core/node_index.h"

namespace fairlead::core {

class NodeSlots {
 public:
  /// Nodes of one cluster, those that are gone counted: looking at all of them for each statement
  /// must cost nothing.
  static constexpr size_t kSlotsMax = 256;
  /// Any session's memory of an answer from the node that was here is worth nothing after this.
  static constexpr Duration kReuseAfter = std::chrono::minutes(10);

  struct Change {
    std::vector<NodeIndex> added;  // In the list now, and not before; perhaps a new number.
    std::vector<NodeIndex> removed;
    std::vector<std::string> left_out;  // There was no number for them.
    bool operator==(const Change&) const = default;
  };

  /// The list is `names` from now on, each once. `is_unused(index)`: nobody has a server of that
  /// node any more; asked only of nodes that have long been gone.
  Change update(std::span<const std::string> names, Time now,
                const std::function<bool(NodeIndex)>& is_unused);

  size_t size() const { return slots_.size(); }
  const std::string& name(NodeIndex index) const { return at(index).name; }
  bool is_gone(NodeIndex index) const { return at(index).is_gone; }

 private:
  struct Slot {
    std::string name;
    bool is_gone = false;
    Time gone_since{};
  };

  const Slot& at(NodeIndex index) const { return slots_.at(static_cast<size_t>(index)); }
  size_t find_place(std::string_view name, Time now,
                    const std::function<bool(NodeIndex)>& is_unused) const;

  std::vector<Slot> slots_;
};

}  // namespace fairlead::core
