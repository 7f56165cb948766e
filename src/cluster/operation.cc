// Names, and the one decision about interrupted operations.
#include "cluster/operation.h"

#include <algorithm>
#include <array>

namespace fairlead::cluster {

namespace {

constexpr std::array<std::string_view, 6> kOperations = {"sync",    "add-replica", "remove-replica",
                                                         "promote", "rejoin",      "switchover"};
constexpr std::array<std::string_view, 3> kStandings = {"member", "joining", "needs-rejoin"};

template <class Enum, size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

}  // namespace

Recovery recovery_of(const Operation& operation) {
  if (operation.giving_up) return Recovery::kGiveUp;
  const size_t begun =
      std::min(operation.steps_done + (operation.step_begun ? 1 : 0), operation.plan.size());
  for (size_t i = 0; i < begun; ++i)
    if (reverse_of(operation.plan[i].kind) == UndoKind::kImpossible) return Recovery::kContinue;
  return Recovery::kGiveUp;
}

std::string_view name_of(OperationKind kind) { return kOperations[static_cast<size_t>(kind)]; }
std::optional<OperationKind> operation_kind_of(std::string_view name) {
  return find<OperationKind>(kOperations, name);
}
std::string_view name_of(Standing standing) { return kStandings[static_cast<size_t>(standing)]; }
std::optional<Standing> standing_of(std::string_view name) {
  return find<Standing>(kStandings, name);
}

}  // namespace fairlead::cluster
