// What is known about each kind of step, in one table.
#include "cluster/step.h"

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace fairlead::cluster {

namespace {

struct Row {
  StepKind kind;
  std::string_view name;
  UndoKind undo;
  UndoKind reverse;
};

constexpr std::array kRows{
    Row{StepKind::kMakeFolders, "make-folders", UndoKind::kNothing, UndoKind::kNothing},
    Row{StepKind::kInitialize, "initialize", UndoKind::kRemoveData, UndoKind::kRemoveData},
    Row{StepKind::kConfigure, "configure", UndoKind::kNothing, UndoKind::kNothing},
    Row{StepKind::kStart, "start", UndoKind::kStopNode, UndoKind::kStopNode},
    Row{StepKind::kCreateRoles, "create-roles", UndoKind::kNothing, UndoKind::kNothing},
    Row{StepKind::kClone, "clone", UndoKind::kDropClone, UndoKind::kDropClone},
    Row{StepKind::kAwaitStreaming, "await-streaming", UndoKind::kNothing, UndoKind::kNothing},
    Row{StepKind::kStop, "stop", UndoKind::kNothing, UndoKind::kStartNode},
    Row{StepKind::kReconfigure, "reconfigure", UndoKind::kNothing, UndoKind::kReconfigure},
    Row{StepKind::kAwaitSync, "await-sync", UndoKind::kNothing, UndoKind::kNothing},
    Row{StepKind::kMakeSlot, "make-slot", UndoKind::kNothing, UndoKind::kDropSlot},
    Row{StepKind::kDropSlot, "drop-slot", UndoKind::kNothing, UndoKind::kMakeSlot},
    Row{StepKind::kRemoveData, "remove-data", UndoKind::kNothing, UndoKind::kImpossible},
    Row{StepKind::kAdmit, "admit", UndoKind::kNothing, UndoKind::kNothing},
    Row{StepKind::kForget, "forget", UndoKind::kNothing, UndoKind::kImpossible},
    Row{StepKind::kTryStart, "try-start", UndoKind::kStopNode, UndoKind::kStopNode},
    Row{StepKind::kEnd, "end", UndoKind::kNothing, UndoKind::kStartNode},
    Row{StepKind::kFence, "fence", UndoKind::kNothing, UndoKind::kUnfence},
    Row{StepKind::kDetach, "detach", UndoKind::kNothing, UndoKind::kReconfigure},
    Row{StepKind::kPromote, "promote", UndoKind::kNothing, UndoKind::kImpossible},
    Row{StepKind::kAwaitFollower, "await-follower", UndoKind::kNothing, UndoKind::kNothing},
    Row{StepKind::kMarkForRejoin, "mark-for-rejoin", UndoKind::kNothing, UndoKind::kNothing},
    // Data that is half rewound is good for nothing.
    Row{StepKind::kRewind, "rewind", UndoKind::kRemoveData, UndoKind::kRemoveData},
    Row{StepKind::kDiscardData, "discard-data", UndoKind::kNothing, UndoKind::kNothing},
    Row{StepKind::kDropOwnSlots, "drop-own-slots", UndoKind::kNothing, UndoKind::kNothing},
    Row{StepKind::kAwaitNear, "await-near", UndoKind::kNothing, UndoKind::kNothing},
    Row{StepKind::kCheckpoint, "checkpoint", UndoKind::kNothing, UndoKind::kNothing},
    Row{StepKind::kHold, "hold", UndoKind::kNothing, UndoKind::kReconfigure},
    Row{StepKind::kAwaitQuiet, "await-quiet", UndoKind::kNothing, UndoKind::kNothing},
    Row{StepKind::kAwaitComplete, "await-complete", UndoKind::kNothing, UndoKind::kNothing},
    Row{StepKind::kProveWrites, "prove-writes", UndoKind::kNothing, UndoKind::kNothing},
};

const Row& row_of(StepKind kind) {
  const auto row = std::ranges::find(kRows, kind, &Row::kind);
  require(row != kRows.end(), "every kind of step has a row");
  return *row;
}

}  // namespace

UndoKind undo_of(StepKind kind) { return row_of(kind).undo; }
UndoKind reverse_of(StepKind kind) { return row_of(kind).reverse; }
std::string_view name_of(StepKind kind) { return row_of(kind).name; }

std::optional<StepKind> step_kind_of(std::string_view name) {
  const auto row = std::ranges::find(kRows, name, &Row::name);
  if (row == kRows.end()) return std::nullopt;
  return row->kind;
}

}  // namespace fairlead::cluster
