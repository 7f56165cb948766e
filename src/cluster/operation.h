// A change of a cluster that exists, as the state file records it while it is at work. Pure.
//
// Whoever is killed in the middle leaves the record behind, and the next command settles it: it
// goes back to before the operation as long as no step was begun that cannot be taken back, and
// goes on to the end behind such a step.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/step.h"
#include "cluster/sync_rule.h"

namespace fairlead::cluster {

enum class OperationKind : uint8_t {
  kSync,
  kAddReplica,
  kRemoveReplica,
  kPromote,
  kRejoin,
  kSwitchover
};

/// What a node is to the cluster, apart from its role.
enum class Standing : uint8_t {
  kMember,
  kJoining,      // It is being made; nobody counts on it yet.
  kNeedsRejoin,  // It was the primary, or fell behind: it must not be started before a rejoin.
};

struct Operation {
  OperationKind kind = OperationKind::kSync;
  std::string text;  // What was asked for: "promote node2".
  Plan plan;
  bool open_ended = false;  // Its last steps are decided on the way: the plan's end is not its end.
  size_t steps_done = 0;    // When giving up: steps that are still to be taken back.
  bool step_begun = false;  // Step number steps_done was begun and its end was not recorded.
  bool giving_up = false;
  std::chrono::milliseconds patience{0};  // Of the steps that wait for others than our own servers.

  // Where giving up goes back to. Nodes beyond `standings` were added by the operation.
  size_t primary = 0;
  SyncRule sync;
  std::vector<Standing> standings;

  bool operator==(const Operation&) const = default;
};

enum class Recovery : uint8_t { kContinue, kGiveUp };

/// What becomes of an operation that was interrupted or failed.
Recovery recovery_of(const Operation& operation);

/// "add-replica", as the command is called.
std::string_view name_of(OperationKind kind);
std::optional<OperationKind> operation_kind_of(std::string_view name);
std::string_view name_of(Standing standing);
std::optional<Standing> standing_of(std::string_view name);

}  // namespace fairlead::cluster
