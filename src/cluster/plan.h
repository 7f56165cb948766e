// What a command is going to do, as a list of steps that can be printed, compared and carried out.
// Pure.
//
// A plan depends on the cluster's state alone, so that an interrupted command can be taken up
// again: the state file says how many steps are done, and the step that was at work is undone and
// done again. step_runner.h carries plans out.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cluster/state.h"
#include "cluster/step.h"

namespace fairlead::cluster {

Plan plan_create(const ClusterState& state);
/// `order` are indexes of nodes: the primary first, because replicas ask it for WAL as they come
/// up.
Plan plan_start(const std::vector<size_t>& order);
/// The primary first here too: it sends what is left to the replicas before it ends, so that they
/// lie equal on disk.
Plan plan_stop(const std::vector<size_t>& order);

/// A node that parted from the primary, or fell behind it, follows it again: by pg_rewind, or as a
/// new copy of all data. Given up, the node stays out.
Plan plan_rewind(const ClusterState& state, size_t node, size_t primary);
Plan plan_new_copy(const ClusterState& state, size_t node, size_t primary);

/// The record of an operation that is going to change `state`, with all that giving up goes back
/// to.
Operation operation_on(const ClusterState& state, size_t primary, OperationKind kind,
                       std::string text, Plan plan);
/// The record of what was there before comes back. Nodes that the operation added stay, as joining
/// ones, because their files are still to be removed.
void restore(ClusterState& state, const Operation& operation);

/// What a step changes in the record itself; nothing for those that only work on the machine.
void change_record(const Step& step, ClusterState& state);

/// "clone node1 into node2"
std::string describe(const Step& step, const ClusterState& state);
std::string describe(UndoKind undo, const Step& step, const ClusterState& state);

/// For --dry-run: one line per step, the command that is run, and what takes it back.
std::string render(const Plan& plan, const ClusterState& state);

}  // namespace fairlead::cluster
