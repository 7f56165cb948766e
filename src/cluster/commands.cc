// create, start, stop, status. destroy is in destroy.cc.
#include "cluster/commands.h"

#include <dirent.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>

#include "cluster/dir_lock.h"
#include "cluster/files.h"
#include "cluster/open_cluster.h"
#include "cluster/plan.h"
#include "cluster/postmaster.h"
#include "cluster/resolve.h"
#include "cluster/run_plan.h"

namespace fairlead::cluster {

namespace {

/// Brings the machine back to where the record says that the plan is.
Result<void> take_up_again(StepRunner& runner, const Plan& plan, ClusterState& state,
                           const Layout& layout) {
  // After kill -9 of everything, or a reboot, a step that is done may not hold any more: start is
  // the only kind.
  for (size_t i = 0; i < state.steps_done; ++i)
    if (plan[i].kind == StepKind::kStart)
      if (auto started = runner.carry_out(plan[i]); !started) return started;
  if (!state.step_begun) return {};
  if (auto undone = runner.undo(plan[state.steps_done]); !undone) return undone;
  state.step_begun = false;
  return write_state(layout, state);
}

/// Carries the rest of a create plan out and records each step's beginning and end.
Result<void> run_recorded(StepRunner& runner, const Plan& plan, ClusterState& state,
                          const Layout& layout, ProgressSink& progress, const StopFlag& stop) {
  while (state.steps_done < plan.size()) {
    if (stop.load()) return stopped();
    state.step_begun = true;
    if (auto wrote = write_state(layout, state); !wrote) return wrote;
    if (auto done = report_and_run(runner, plan, state.steps_done, state, progress); !done)
      return done;
    ++state.steps_done;
    state.step_begun = false;
    if (auto wrote = write_state(layout, state); !wrote) return wrote;
  }
  state.phase = Phase::kReady;
  return write_state(layout, state);
}

/// A marker that was never finished is all that a create which was killed at once leaves.
bool is_free_folder(const Layout& layout) {
  DIR* folder = opendir(layout.dir().c_str());
  if (folder == nullptr) return false;
  bool empty = true;
  while (const dirent* entry = readdir(folder))
    if (const std::string_view name = entry->d_name;
        name != "." && name != ".." &&
        fmt::format("{}/{}", layout.dir(), name) != unfinished(layout.marker()))
      empty = false;
  closedir(folder);
  return empty;
}

/// Makes the folder and the marker, or finds ours.
Result<void> claim_dir(const ResolvedSpec& resolved) {
  const Layout layout(resolved.spec.dir);
  if (exists(layout.marker())) return {};
  if (exists(layout.dir()) && !is_free_folder(layout))
    return fail(ErrorCode::kIo,
                fmt::format("{} is not empty and not a cluster made by fairlead", layout.dir()), {},
                "choose a folder that is empty or does not exist");
  const std::string parent = layout.dir().substr(0, std::max<size_t>(layout.dir().rfind('/'), 1));
  if (!exists(parent))
    return fail(ErrorCode::kIo, fmt::format("there is no folder {}", parent), {}, "make it first");
  if (auto reachable = check_reachable(parent, resolved.user); !reachable) return reachable;
  // Others may pass through it, to the parts that are theirs, and not look around.
  if (auto made = make_folder(layout.dir(), 0711, nullptr); !made) return made;
  return write_file(layout.marker(),
                    "This folder belongs to `fairlead cluster`. `fairlead cluster destroy` removes "
                    "it with everything "
                    "in it.\n",
                    0644, nullptr);
}

/// The state of the create that was interrupted here, or a new one.
Result<ClusterState> state_to_create(const ResolvedSpec& resolved) {
  const Layout layout(resolved.spec.dir);
  if (!exists(layout.state_file())) return new_state(resolved);
  auto state = read_state(layout);
  if (!state) return state;
  if (state->phase == Phase::kReady)
    return fail(ErrorCode::kIo, fmt::format("{} already holds a complete cluster", layout.dir()),
                {}, "start it with start, or remove it with destroy");
  if (state->phase == Phase::kDestroying)
    return fail(ErrorCode::kIo, fmt::format("the cluster in {} is half destroyed", layout.dir()),
                {}, "remove the rest with destroy, then run create again");
  if (state->spec != resolved.spec)
    return fail(ErrorCode::kIo,
                fmt::format("{} holds an unfinished cluster with other options", layout.dir()), {},
                "run create with the same options to finish it, or remove it with destroy");
  return state;
}

/// The nodes that will come up as primary first; among equals, the order of their names.
std::vector<size_t> primary_first(const Cluster& cluster) {
  std::vector<size_t> order;
  for (const Role role : {Role::kPrimary, Role::kReplica})
    for (size_t i = 0; i < cluster.nodes.size(); ++i)
      if (cluster.nodes[i].role == role) order.push_back(i);
  return order;
}

Error of_all(const std::vector<FailedNode>& failed) {
  if (failed.size() == 1) return failed.front().why;
  std::vector<std::string> each;
  for (const FailedNode& node : failed) each.push_back(describe(node.why));
  return {failed.front().why.code, fmt::format("{} nodes did not start", failed.size()),
          fmt::format("{}", fmt::join(each, "\n")), "the others run; start tries again"};
}

}  // namespace

Result<Cluster> create(const ClusterSpec& spec, ProgressSink& progress, const StopFlag& stop) {
  auto resolved = resolve(spec);
  if (!resolved) return std::unexpected(resolved.error());
  if (stop.load()) return stopped();
  if (auto claimed = claim_dir(*resolved); !claimed) return std::unexpected(claimed.error());
  const Layout layout(resolved->spec.dir);
  auto lock = DirLock::take(layout.lock_file());
  if (!lock) return std::unexpected(lock.error());
  auto state = state_to_create(*resolved);
  if (!state) return std::unexpected(state.error());

  const Plan plan = plan_create(*state);
  StepRunner runner(*state, resolved->user, lock->fd(), stop);
  if (auto reserved = runner.reserve_ports(); !reserved) return std::unexpected(reserved.error());
  if (auto wrote = write_state(layout, *state); !wrote) return std::unexpected(wrote.error());
  if (auto ready = take_up_again(runner, plan, *state, layout); !ready)
    return std::unexpected(ready.error());
  if (auto done = run_recorded(runner, plan, *state, layout, progress, stop); !done)
    return std::unexpected(done.error());
  return cluster_of(std::move(*state));
}

Result<std::string> describe_create(const ClusterSpec& spec) {
  auto resolved = resolve(spec);
  if (!resolved) return std::unexpected(resolved.error());
  auto state = new_state(*resolved);
  if (!state) return std::unexpected(state.error());
  return render(plan_create(*state), *state);
}

Result<Started> start_each(const std::string& dir, ProgressSink& progress, const StopFlag& stop) {
  auto open = OpenCluster::open(dir, progress, stop);
  if (!open) return std::unexpected(open.error());
  if (auto recorded = open->set_stopped(false); !recorded) return std::unexpected(recorded.error());
  Started out{open->cluster(), {}};
  std::vector<size_t> order = primary_first(out.cluster);
  std::erase_if(order, [&](size_t node) {
    const bool left_out = out.cluster.nodes[node].standing == Standing::kNeedsRejoin;
    if (left_out)
      progress.noted(
          fmt::format("{0} needs a rejoin and was not started: fairlead cluster rejoin "
                      "--dir {1} {0}",
                      out.cluster.nodes[node].name, out.cluster.state.spec.dir));
    return left_out;
  });
  ClusterState state = open->state();
  StepRunner runner(state, open->user(), open->lock_fd(), stop);
  const Plan plan = plan_start(order);
  for (size_t i = 0; i < plan.size(); ++i) {
    if (stop.load()) return stopped();
    auto done = report_and_run(runner, plan, i, state, progress);
    if (!done && stop.load()) return std::unexpected(done.error());
    if (!done) out.failed.push_back({state.nodes[plan[i].node].name, done.error()});
  }
  return out;
}

Result<Cluster> start(const std::string& dir, ProgressSink& progress, const StopFlag& stop) {
  auto started = start_each(dir, progress, stop);
  if (!started) return std::unexpected(started.error());
  if (!started->failed.empty()) return std::unexpected(of_all(started->failed));
  return std::move(started->cluster);
}

Result<void> stop(const std::string& dir, ProgressSink& progress, const StopFlag& stop) {
  auto cluster = load(dir);
  if (!cluster) return std::unexpected(cluster.error());
  const Layout layout(cluster->state.spec.dir);
  auto lock = DirLock::take(layout.lock_file());
  if (!lock) return std::unexpected(lock.error());
  // What an operation has changed while we waited. One that was interrupted stays for later.
  cluster = load(dir);
  if (!cluster) return std::unexpected(cluster.error());
  auto user = servers_user(cluster->state.spec);
  if (!user) return std::unexpected(user.error());
  // Before the first server ends: a supervisor must not bring it back.
  cluster->state.stopped = true;
  if (auto wrote = write_state(layout, cluster->state); !wrote) return wrote;
  StepRunner runner(cluster->state, *user, lock->fd(), stop);
  return run_plan(runner, plan_stop(primary_first(*cluster)), cluster->state, progress, stop);
}

Result<std::vector<StatusRow>> status(const std::string& dir) {
  auto cluster = load(dir);
  if (!cluster) return std::unexpected(cluster.error());
  return ask_nodes(*cluster);
}

}  // namespace fairlead::cluster
