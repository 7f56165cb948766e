// Operations with a record.
#include "cluster/open_cluster.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <vector>

#include "cluster/resolve.h"
#include "cluster/run_plan.h"

namespace fairlead::cluster {

namespace {

/// The way back is gone to its end, also when somebody pressed Ctrl-C.
const StopFlag kNever = false;

SilentProgress nobody;

}  // namespace

Result<OpenCluster> OpenCluster::open(const std::string& dir, ProgressSink& progress,
                                      const StopFlag& stop) {
  auto before = load(dir);
  if (!before) return std::unexpected(before.error());
  auto lock = DirLock::take(Layout(before->state.spec.dir).lock_file());
  if (!lock) return std::unexpected(lock.error());
  // Another command may have changed it while this one waited for the lock.
  auto cluster = load(dir);
  if (!cluster) return std::unexpected(cluster.error());
  auto user = servers_user(cluster->state.spec);
  if (!user) return std::unexpected(user.error());
  OpenCluster out(std::move(cluster->state), std::move(*lock), std::move(*user), progress, stop);
  if (auto settled = out.settle(); !settled) return std::unexpected(settled.error());
  return out;
}

Result<OpenCluster> OpenCluster::look(const std::string& dir) {
  auto cluster = load(dir);
  if (!cluster) return std::unexpected(cluster.error());
  if (const auto& operation = cluster->state.operation)
    return fail(ErrorCode::kIo, fmt::format("{} is not finished", operation->text),
                "it is at work, or was interrupted",
                "wait for it, or run any command that changes the cluster: it settles it first");
  auto user = servers_user(cluster->state.spec);
  if (!user) return std::unexpected(user.error());
  return OpenCluster(std::move(cluster->state), std::nullopt, std::move(*user), nobody, kNever);
}

Result<size_t> OpenCluster::primary() const {
  const Cluster now = cluster();
  std::vector<size_t> found;
  for (size_t i = 0; i < now.nodes.size(); ++i)
    if (now.nodes[i].role == Role::kPrimary && now.nodes[i].standing == Standing::kMember)
      found.push_back(i);
  if (found.size() == 1) return found.front();
  if (found.empty())
    return fail(ErrorCode::kIo, fmt::format("the cluster in {} has no primary", state_.spec.dir),
                "every node's files say that it is a replica",
                fmt::format("choose one: fairlead cluster promote --dir {}", state_.spec.dir));
  return fail(ErrorCode::kIo,
              fmt::format("{} and {} both say that they are the primary", now.nodes[found[0]].name,
                          now.nodes[found[1]].name),
              "neither has a standby.signal in its folder",
              "stop the one that is not, and put an empty standby.signal into its folder");
}

Result<size_t> OpenCluster::find(const std::string& node) const {
  const auto found = std::ranges::find(state_.nodes, node, &NodeState::name);
  if (found != state_.nodes.end()) return static_cast<size_t>(found - state_.nodes.begin());
  std::vector<std::string> names;
  for (const NodeState& each : state_.nodes) names.push_back(each.name);
  return fail(ErrorCode::kInvalidParameterValue,
              fmt::format("there is no node {} in {}", node, state_.spec.dir), {},
              fmt::format("its nodes are {}", fmt::join(names, ", ")));
}

Result<void> OpenCluster::start_node(size_t node, std::chrono::milliseconds patience) {
  StepRunner runner(state_, user_, lock_fd(), *stop_);
  runner.set_start_patience(patience);
  return runner.carry_out({StepKind::kStart, node});
}

Result<void> OpenCluster::set_stopped(bool stopped) {
  if (state_.stopped == stopped) return {};
  state_.stopped = stopped;
  return record();
}

Result<void> OpenCluster::run(ClusterState next, Operation operation) {
  if (auto begun = begin(std::move(next), std::move(operation)); !begun) return begun;
  return carry_on();
}

Result<void> OpenCluster::begin(ClusterState next, Operation operation) {
  StepRunner runner(next, user_, lock_fd(), *stop_);
  for (size_t i = operation.standings.size(); i < next.nodes.size(); ++i)
    if (auto reserved = runner.reserve_port(i); !reserved) return reserved;
  next.operation = std::move(operation);
  if (auto wrote = write_state(Layout(next.spec.dir), next); !wrote) return wrote;
  state_ = std::move(next);
  return {};
}

Result<void> OpenCluster::carry_on(const Otherwise& otherwise) {
  StepRunner runner(state_, user_, lock_fd(), *stop_);
  for (;;) {
    Operation& operation = *state_.operation;
    if (operation.steps_done == operation.plan.size()) break;
    if (stop_->load()) return std::unexpected(give_up(stopped().error()));
    operation.step_begun = true;
    if (auto wrote = record(); !wrote) return wrote;
    if (auto done =
            report_and_run(runner, operation.plan, operation.steps_done, state_, *progress_);
        !done) {
      const auto plan = otherwise(operation.plan[operation.steps_done], done.error());
      if (!plan) return std::unexpected(give_up(done.error()));
      if (auto replaced = replace(*plan); !replaced) return replaced;
      continue;
    }
    ++operation.steps_done;
    operation.step_begun = false;
    // The last step and the end of the operation are recorded as one.
    if (operation.steps_done == operation.plan.size() && !operation.open_ended) break;
    if (auto wrote = record(); !wrote) return wrote;
  }
  if (state_.operation->open_ended) return {};
  state_.operation.reset();
  return record();
}

Result<void> OpenCluster::extend(const Plan& rest) {
  Operation& operation = *state_.operation;
  operation.plan.insert(operation.plan.end(), rest.begin(), rest.end());
  operation.open_ended = false;
  return record();
}

Result<void> OpenCluster::replace(const Plan& plan) {
  Operation& operation = *state_.operation;
  operation.plan = plan;
  operation.steps_done = 0;
  operation.step_begun = false;
  return record();
}

Error OpenCluster::give_up(Error why) {
  const std::string dir = state_.spec.dir;
  const Operation& operation = *state_.operation;
  const std::string text = operation.text;
  if (recovery_of(operation) == Recovery::kContinue) {
    why.detail += fmt::format("{}{} is not finished", why.detail.empty() ? "" : "\n", text);
    why.hint += fmt::format("{}the next command on {} goes on with it",
                            why.hint.empty() ? "" : "; then ", dir);
    return why;
  }
  if (auto back = take_back_all(); !back) {
    why.detail += fmt::format("{}{} could not be taken back: {}", why.detail.empty() ? "" : "\n",
                              text, describe(back.error()));
    why.hint = fmt::format("the next command on {} tries that again", dir);
    return why;
  }
  why.detail += fmt::format("{}{} was taken back", why.detail.empty() ? "" : "\n", text);
  if (why.code == ErrorCode::kQueryCanceled) why.hint = "run the command again";
  return why;
}

Result<void> OpenCluster::settle() {
  if (!state_.operation) return {};
  const std::string text = state_.operation->text;
  if (recovery_of(*state_.operation) == Recovery::kGiveUp) {
    progress_->noted(fmt::format("{} was interrupted: taking it back", text));
    return take_back_all();
  }
  progress_->noted(fmt::format("{} was interrupted: going on with it", text));
  StepRunner runner(state_, user_, lock_fd(), *stop_);
  if (auto ready = take_up_again(runner); !ready) return ready;
  return carry_on();
}

/// Brings the machine back to where the record says that the plan is.
Result<void> OpenCluster::take_up_again(StepRunner& runner) {
  Operation& operation = *state_.operation;
  // After a reboot a server that was started does not run any more.
  for (size_t i = 0; i < operation.steps_done; ++i) {
    const Step& step = operation.plan[i];
    const auto rest = std::span(operation.plan).subspan(i, operation.steps_done - i);
    const bool stopped_since = std::ranges::any_of(rest, [&](const Step& later) {
      return later.node == step.node &&
             (later.kind == StepKind::kStop || later.kind == StepKind::kRemoveData);
    });
    if (step.kind == StepKind::kStart && !stopped_since)
      if (auto started = runner.carry_out(step); !started) return started;
  }
  if (!operation.step_begun) return {};
  if (auto undone = runner.undo(operation.plan[operation.steps_done]); !undone) return undone;
  operation.step_begun = false;
  return record();
}

Result<void> OpenCluster::take_back_all() {
  Operation& operation = *state_.operation;
  if (!operation.giving_up) {
    operation.giving_up = true;
    operation.steps_done += operation.step_begun ? 1 : 0;
    operation.step_begun = false;
  }
  restore(state_, operation);
  if (auto wrote = record(); !wrote) return wrote;
  StepRunner runner(state_, user_, lock_fd(), kNever);
  while (operation.steps_done > 0) {
    const Step& step = operation.plan[operation.steps_done - 1];
    if (auto done = runner.reverse(step, operation.primary); !done) {
      // One that is broken must not keep the way back from its end, nor a promotion from replacing
      // it.
      if (reverse_of(step.kind) != UndoKind::kStartNode) return done;
      progress_->noted(describe(done.error()));
    }
    --operation.steps_done;
    if (auto wrote = record(); !wrote) return wrote;
  }
  state_.nodes.resize(operation.standings.size());
  state_.operation.reset();
  return record();
}

Result<void> OpenCluster::record() { return write_state(Layout(state_.spec.dir), state_); }

}  // namespace fairlead::cluster
