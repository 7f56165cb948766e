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
      return fmt::format("synchronous_standby_names = '{}', as far as it is the primary", names);
    }
    case StepKind::kRemoveData:
      return layout.data_dir(node.name);
    case StepKind::kStart:
      return printable(start_arguments(state, node));
    case StepKind::kClone:
      return printable(base_backup_arguments(state, state.nodes[step.primary], node));
    case StepKind::kCreateRoles:
    case StepKind::kAwaitStreaming:
    case StepKind::kStop:
    case StepKind::kMakeSlot:
    case StepKind::kDropSlot:
    case StepKind::kAdmit:
    case StepKind::kForget:
      return {};
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
    case UndoKind::kReconfigure:
      return fmt::format("configure {} as before", node);
    case UndoKind::kImpossible:
      return "none, from here on it is finished";
  }
  unreachable("an undo without a description");
}

std::string render(const Plan& plan, const ClusterState& state) {
  std::string out;
  for (size_t i = 0; i < plan.size(); ++i) {
    out += fmt::format("{:>2}. {}\n", i + 1, describe(plan[i], state));
    if (const std::string more = details(plan[i], state); !more.empty())
      out += fmt::format("      {}\n", more);
    out += fmt::format("      undo: {}\n", describe(reverse_of(plan[i].kind), plan[i], state));
  }
  return out;
}

}  // namespace fairlead::cluster
