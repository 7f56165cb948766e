// Plans and their printed form.
#include "cluster/plan.h"

#include <fmt/format.h>

#include "base/assert.h"
#include "cluster/layout.h"
#include "cluster/server_files.h"
#include "cluster/tool_commands.h"

namespace fairlead::cluster {

namespace {

/// What a step runs or writes, where there is more to say than describe() does.
std::string details(const Step& step, const ClusterState& state) {
  const Layout layout(state.spec.dir);
  const NodeState& node = state.nodes[step.node];
  switch (step.kind) {
    case StepKind::kMakeFolders:
      return fmt::format("{}, {}", layout.socket_dir(), layout.log_dir());
    case StepKind::kInitialize:
      return printable(initdb_arguments(state, node));
    case StepKind::kConfigure: {
      const std::string data = layout.data_dir(node.name);
      return fmt::format("{0}/fairlead.conf, {0}/pg_hba.conf", data);
    }
    case StepKind::kReconfigure: {
      const std::string names = standby_names(state.spec.sync, standbys_of(state, node));
      if (step.node != step.primary)
        return fmt::format("primary_conninfo of {}", state.nodes[step.primary].name);
      return fmt::format("synchronous_standby_names = '{}'", names);
    }
    case StepKind::kRemoveData:
    case StepKind::kDiscardData:
      return layout.data_dir(node.name);
    case StepKind::kRewind:
      return printable(rewind_arguments(state, state.nodes[step.primary], node));
    case StepKind::kStart:
    case StepKind::kTryStart:
      return printable(start_arguments(state, node));
    case StepKind::kEnd:
      return "a fast shutdown, so that the replicas get everything; after 10 s by force";
    case StepKind::kFence:
      return fmt::format("every process in {0} is ended; {0}/standby.signal",
                         layout.data_dir(node.name));
    case StepKind::kPromote:
      return "SELECT pg_promote()";
    case StepKind::kClone:
      return printable(base_backup_arguments(state, state.nodes[step.primary], node));
    case StepKind::kCreateRoles:
    case StepKind::kAwaitStreaming:
    case StepKind::kStop:
    case StepKind::kAwaitSync:
    case StepKind::kMakeSlot:
    case StepKind::kDropSlot:
    case StepKind::kAdmit:
    case StepKind::kForget:
    case StepKind::kDetach:
    case StepKind::kAwaitFollower:
    case StepKind::kMarkForRejoin:
    case StepKind::kDropOwnSlots:
    case StepKind::kAwaitNear:
    case StepKind::kCheckpoint:
    case StepKind::kAwaitComplete:
    case StepKind::kProveWrites:
      return {};
    case StepKind::kHold:
      return "fairlead.hold_writes_until, which every fairlead up reads with its probes";
    case StepKind::kAwaitQuiet:
      return "at the limit everything is taken back";
  }
  unreachable("a step kind without details");
}

}  // namespace

Plan plan_create(const ClusterState& state) {
  Plan plan = {{StepKind::kMakeFolders, 0},
               {StepKind::kInitialize, 0},
               {StepKind::kConfigure, 0},
               {StepKind::kStart, 0},
               {StepKind::kCreateRoles, 0}};
  for (size_t node = 1; node < state.nodes.size(); ++node) {
    plan.push_back({StepKind::kClone, node});
    plan.push_back({StepKind::kConfigure, node});
    plan.push_back({StepKind::kStart, node});
  }
  for (size_t node = 1; node < state.nodes.size(); ++node)
    plan.push_back({StepKind::kAwaitStreaming, node});
  if (!state.spec.sync.is_on()) return plan;
  // Only now is there somebody that a commit can wait for.
  for (size_t node = 1; node < state.nodes.size(); ++node) plan.push_back({StepKind::kAdmit, node});
  for (size_t node = 0; node < state.nodes.size(); ++node)
    plan.push_back({StepKind::kReconfigure, node});
  plan.push_back({StepKind::kAwaitSync, 0});
  return plan;
}

Plan plan_start(const std::vector<size_t>& order) {
  Plan plan;
  for (const size_t node : order) plan.push_back({StepKind::kStart, node});
  return plan;
}

Plan plan_stop(const std::vector<size_t>& order) {
  Plan plan;
  for (const size_t node : order) plan.push_back({StepKind::kStop, node});
  return plan;
}

namespace {

/// From data that can follow the primary to a member whom commits may wait for.
void add_return(Plan& plan, const ClusterState& state, size_t node, size_t primary) {
  plan.insert(plan.end(), {{StepKind::kConfigure, node, primary},
                           {StepKind::kStart, node, primary},
                           {StepKind::kAwaitStreaming, node, primary},
                           {StepKind::kDropOwnSlots, node, primary},
                           {StepKind::kAdmit, node, primary}});
  for (size_t other = 0; other < state.nodes.size(); ++other)
    if (other == node || state.nodes[other].standing == Standing::kMember)
      plan.push_back({StepKind::kReconfigure, other, primary});
}

}  // namespace

Plan plan_rewind(const ClusterState& state, size_t node, size_t primary) {
  Plan plan = {{StepKind::kEnd, node, primary},
               {StepKind::kMarkForRejoin, node, primary},
               {StepKind::kMakeSlot, node, primary},
               {StepKind::kRewind, node, primary}};
  add_return(plan, state, node, primary);
  return plan;
}

Plan plan_new_copy(const ClusterState& state, size_t node, size_t primary) {
  Plan plan = {{StepKind::kEnd, node, primary},
               {StepKind::kMarkForRejoin, node, primary},
               {StepKind::kDiscardData, node, primary},
               {StepKind::kDropSlot, node, primary},
               {StepKind::kClone, node, primary}};
  add_return(plan, state, node, primary);
  return plan;
}

Operation operation_on(const ClusterState& state, size_t primary, OperationKind kind,
                       std::string text, Plan plan) {
  Operation operation;
  operation.kind = kind;
  operation.text = std::move(text);
  operation.plan = std::move(plan);
  operation.primary = primary;
  operation.sync = state.spec.sync;
  for (const NodeState& node : state.nodes) operation.standings.push_back(node.standing);
  return operation;
}

void restore(ClusterState& state, const Operation& operation) {
  state.spec.sync = operation.sync;
  for (size_t i = 0; i < state.nodes.size(); ++i)
    state.nodes[i].standing =
        i < operation.standings.size() ? operation.standings[i] : Standing::kJoining;
}

void change_record(const Step& step, ClusterState& state) {
  if (step.kind == StepKind::kAdmit) state.nodes[step.node].standing = Standing::kMember;
  if (step.kind == StepKind::kMarkForRejoin)
    state.nodes[step.node].standing = Standing::kNeedsRejoin;
}

std::string describe(const Step& step, const ClusterState& state) {
  const std::string& node = state.nodes[step.node].name;
  const std::string& primary = state.nodes[step.primary].name;
  switch (step.kind) {
    case StepKind::kMakeFolders:
      return "make the folders for sockets and logs";
    case StepKind::kInitialize:
      return fmt::format("initialize {}", node);
    case StepKind::kConfigure:
      return fmt::format("configure {}", node);
    case StepKind::kStart:
      return fmt::format("start {}", node);
    case StepKind::kCreateRoles:
      return fmt::format("create the roles and database {}", state.spec.database);
    case StepKind::kClone:
      return fmt::format("clone {} into {}", primary, node);
    case StepKind::kAwaitStreaming:
      return fmt::format("wait until {} streams from {}", node, primary);
    case StepKind::kStop:
      return fmt::format("stop {}", node);
    case StepKind::kReconfigure:
      return fmt::format("configure {} and let it read that", node);
    case StepKind::kAwaitSync:
      return fmt::format("see that commits on {} follow the rule: {}", node,
                         to_string(state.spec.sync));
    case StepKind::kMakeSlot:
      return fmt::format("make the replication slot of {} on {}", node, primary);
    case StepKind::kDropSlot:
      return fmt::format("drop the replication slot of {} on {}", node, primary);
    case StepKind::kRemoveData:
      return fmt::format("remove the data of {}", node);
    case StepKind::kAdmit:
      return fmt::format("count {} as a member", node);
    case StepKind::kForget:
      return fmt::format("forget {}", node);
    case StepKind::kTryStart:
      return fmt::format("start {} if it can be", node);
    case StepKind::kEnd:
      return fmt::format("shut {} down", node);
    case StepKind::kFence:
      return fmt::format("fence {}", node);
    case StepKind::kDetach:
      return fmt::format("let {} receive nothing more", node);
    case StepKind::kPromote:
      return fmt::format("promote {}", node);
    case StepKind::kAwaitFollower:
      return fmt::format("wait until {} follows {}", node, primary);
    case StepKind::kMarkForRejoin:
      return fmt::format("mark {} for a rejoin", node);
    case StepKind::kRewind:
      return fmt::format("rewind {} to where it parted from {}", node, primary);
    case StepKind::kDiscardData:
      return fmt::format("discard the data of {}", node);
    case StepKind::kDropOwnSlots:
      return fmt::format("drop the replication slots that {} had for others", node);
    case StepKind::kAwaitNear:
      return fmt::format("wait until {} has nearly all of {}", node, primary);
    case StepKind::kCheckpoint:
      return fmt::format("write a checkpoint on {}", node);
    case StepKind::kHold:
      return fmt::format("let the proxies hold what is for {}", node);
    case StepKind::kAwaitQuiet:
      return fmt::format("wait until running transactions on {} have ended", node);
    case StepKind::kAwaitComplete:
      return fmt::format("wait until {} has all of {}", node, primary);
    case StepKind::kProveWrites:
      return fmt::format("see a commit on {} acknowledged", node);
  }
  unreachable("a step kind without a description");
}

std::string describe(UndoKind undo, const Step& step, const ClusterState& state) {
  const std::string& node = state.nodes[step.node].name;
  switch (undo) {
    case UndoKind::kNothing:
      return "nothing, it can be repeated";
    case UndoKind::kRemoveData:
      return fmt::format("remove the data of {}", node);
    case UndoKind::kDropClone:
      return fmt::format("remove the data of {} and its replication slot", node);
    case UndoKind::kStopNode:
      return fmt::format("stop {}", node);
    case UndoKind::kStartNode:
      return fmt::format("start {}", node);
    case UndoKind::kDropSlot:
      return fmt::format("drop the replication slot of {}", node);
    case UndoKind::kMakeSlot:
      return fmt::format("make the replication slot of {} again", node);
    case UndoKind::kReconfigure:
      return fmt::format("configure {} as before", node);
    case UndoKind::kUnfence:
      return fmt::format("let {} come up as a primary again", node);
    case UndoKind::kImpossible:
      return "none, from here on it is finished";
  }
  unreachable("an undo without a description");
}

std::string render(const Plan& plan, const ClusterState& state) {
  std::string out;
  ClusterState then = state;  // As each step finds it.
  bool only_forward = false;
  for (size_t i = 0; i < plan.size(); ++i) {
    out += fmt::format("{:>2}. {}\n", i + 1, describe(plan[i], then));
    if (const std::string more = details(plan[i], then); !more.empty())
      out += fmt::format("      {}\n", more);
    const UndoKind undo = reverse_of(plan[i].kind);
    if (!only_forward) out += fmt::format("      undo: {}\n", describe(undo, plan[i], then));
    only_forward = only_forward || undo == UndoKind::kImpossible;
    change_record(plan[i], then);
  }
  return out;
}

}  // namespace fairlead::cluster
