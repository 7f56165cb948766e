// What a command is going to do, as a list of steps that can be printed, compared and carried out.
// Pure.
//
// A plan depends on the cluster's state alone, so that an interrupted command can be taken up
// again: the state file says how many steps are done, and the step that was at work is undone and
// done again. step_runner.h carries plans out.
//
// Later plans (sync, promote, switchover, rejoin, add-replica, remove-replica) are further
// plan_...() functions over further step kinds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/state.h"

namespace fairlead::cluster {

enum class StepKind : uint8_t {
  kMakeFolders,     // For sockets and logs.
  kInitialize,      // initdb.
  kConfigure,       // fairlead.conf, pg_hba.conf.
  kStart,           // Until the node accepts connections. Done already is fine.
  kCreateRoles,     // Roles and the database. Repeatable.
  kClone,           // pg_basebackup from nodes[0], with a slot.
  kAwaitStreaming,  // Until nodes[0] streams to the node.
  kStop,            // Fast: transactions are ended, everything is written.
};

/// What takes a step that was begun and not finished back to where it started.
enum class UndoKind : uint8_t {
  kNothing,     // Doing it again is enough.
  kRemoveData,  // Remove the node's data directory.
  kDropClone,   // Remove the node's data directory, and its slot on nodes[0].
  kStopNode,    // End its processes.
};

struct Step {
  StepKind kind = StepKind::kMakeFolders;
  size_t node = 0;  // Index into ClusterState::nodes.

  bool operator==(const Step&) const = default;
};

using Plan = std::vector<Step>;

UndoKind undo_of(StepKind kind);

Plan plan_create(const ClusterState& state);
/// `order` are indexes of nodes: the primary first, because replicas ask it for WAL as they come
/// up.
Plan plan_start(const std::vector<size_t>& order);
/// The primary first here too: it sends what is left to the replicas before it ends, so that they
/// lie equal on disk.
Plan plan_stop(const std::vector<size_t>& order);

/// "clone node1 into node2"
std::string describe(const Step& step, const ClusterState& state);
std::string describe(UndoKind undo, const Step& step, const ClusterState& state);

/// For --dry-run: one line per step, the command that is run, and the undo.
std::string render(const Plan& plan, const ClusterState& state);

}  // namespace fairlead::cluster
