// The steps that plans are made of, and what takes each of them back. Pure.
//
// A step names nodes by their index in ClusterState::nodes, which no operation changes while it is
// at work: a new node is appended before, one that leaves is erased behind the last step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace fairlead::cluster {

enum class StepKind : uint8_t {
  kMakeFolders,     // For sockets and logs.
  kInitialize,      // initdb.
  kConfigure,       // fairlead.conf, pg_hba.conf; of a replica also standby.signal.
  kStart,           // Until the node accepts connections. Done already is fine.
  kCreateRoles,     // Roles and the database. Repeatable.
  kClone,           // pg_basebackup from `primary`, with a slot.
  kAwaitStreaming,  // Until `primary` streams to the node.
  kStop,            // Fast: transactions are ended, everything is written.
  kReconfigure,     // kConfigure, and when the node runs, until it has read its files.
  kAwaitSync,       // Until the node, as the primary, waits for as many replicas as the rule asks.
  kMakeSlot,        // The node's slot on `primary`, which keeps WAL from now on.
  kDropSlot,        // Of the node on `primary`.
  kRemoveData,      // The node's processes and files.
  kAdmit,           // From now on the node is a member like the others.
  kForget,          // The node leaves the record. Always the last step.
  kTryStart,        // As kStart, but a node that does not start is only left out later.
  kEnd,             // kStop, and by force when that takes too long.
  kFence,           // Nothing of the node runs any more, and it cannot come up as a primary (E12).
  kDetach,          // The replica receives nothing more, from whomever.
  kPromote,         // Until the node is a primary.
  kAwaitFollower,   // As kAwaitStreaming, but one that does not stream is marked for a rejoin.
  kMarkForRejoin,   // The node must not be started before a rejoin.
  kRewind,          // pg_rewind: the node's data becomes what it was when it and `primary` parted.
  kDiscardData,     // As kRemoveData, of a node that stays out when the rest fails.
  kDropOwnSlots,    // Those that the node itself has: nobody follows a replica.
  kAwaitNear,       // Until the node has replayed nearly all that `primary` has written.
  kCheckpoint,      // So that the shutdown has little left to write.
  kHold,            // Proxies begin no new transaction on the node, for as long as the patience is.
  kAwaitQuiet,      // Until every proxy holds and nobody is at work on the node (E26).
  kAwaitComplete,   // Until the node has all that `primary`, which has been shut down, ever wrote.
  kProveWrites,     // Until a commit on the node is acknowledged.
};

/// What takes a step back.
enum class UndoKind : uint8_t {
  kNothing,      // Doing it again is enough.
  kRemoveData,   // Remove the node's data directory.
  kDropClone,    // Remove the node's data directory, and its slot on `primary`.
  kStopNode,     // End its processes.
  kStartNode,    // Start it again.
  kDropSlot,     // Drop the node's slot on `primary`.
  kMakeSlot,     // Make it again.
  kReconfigure,  // Write the node's files as they were, and let it read them.
  kUnfence,      // Let the node come up as a primary again.
  kImpossible,   // Only forward.
};

struct Step {
  StepKind kind = StepKind::kMakeFolders;
  size_t node = 0;
  /// The node that it is cloned from, follows, or has its slot on; `node` itself is configured as
  /// the primary. Of no meaning to the other kinds.
  size_t primary = 0;

  bool operator==(const Step&) const = default;
};

using Plan = std::vector<Step>;

/// Back to before a step that was begun and not finished, so that it can be done again.
UndoKind undo_of(StepKind kind);

/// Back to before a step that was begun or done, when the whole operation is given up.
UndoKind reverse_of(StepKind kind);

/// "await-streaming", as the state file calls it.
std::string_view name_of(StepKind kind);
std::optional<StepKind> step_kind_of(std::string_view name);

}  // namespace fairlead::cluster
