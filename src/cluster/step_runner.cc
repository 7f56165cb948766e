// The steps that make files and start servers. Roles, slots and streaming are in
// step_runner_sql.cc.
#include "cluster/step_runner.h"

#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "base/assert.h"
#include "cluster/backup_progress.h"
#include "cluster/files.h"
#include "cluster/postmaster.h"
#include "cluster/server_files.h"
#include "cluster/tool_commands.h"

namespace fairlead::cluster {

namespace {

/// A base backup of a big cluster takes its time; nobody waits longer than this without a sign.
constexpr std::chrono::hours kCloneDeadline{6};
/// A fast shutdown writes what is in memory.
constexpr std::chrono::seconds kStopDeadline{60};
/// pg_ctl itself gives up a little before it is ended.
constexpr std::chrono::seconds kStartMargin{5};
/// Lost races for a port are rare; a handful in a row is something else.
constexpr int kPortAttempts = 5;

}  // namespace

StepRunner::StepRunner(ClusterState& state, const OsUser& user, int lock_fd, const StopFlag& stop)
    : state_(state),
      layout_(state.spec.dir),
      user_(user),
      lock_fd_(lock_fd),
      stop_(stop),
      ports_(state.nodes.size()) {}

Result<void> StepRunner::reserve_ports() {
  for (size_t i = 0; i < state_.nodes.size(); ++i)
    if (auto reserved = reserve_port(i); !reserved) return reserved;
  return {};
}

Result<void> StepRunner::reserve_port(size_t index) {
  NodeState& node = state_.nodes[index];
  if (find_postmaster(layout_.data_dir(node.name))) return {};
  auto reserved = PortReservation::make(state_.spec.host, node.port);
  if (!reserved && node.port != 0 && may_change_port(index))
    reserved = PortReservation::make(state_.spec.host, 0);
  if (!reserved) return std::unexpected(reserved.error());
  node.port = reserved->port();
  ports_[index] = std::move(*reserved);
  return {};
}

Result<void> StepRunner::carry_out(const Step& step) {
  const NodeState& node = state_.nodes[step.node];
  switch (step.kind) {
    case StepKind::kMakeFolders:
      return make_folders();
    case StepKind::kInitialize:
      return initialize(node);
    case StepKind::kConfigure:
      // The folder of one that is out may be damaged; a rejoin makes it good.
      if (auto done = configure(step); !done && node.standing != Standing::kNeedsRejoin)
        return done;
      return {};
    case StepKind::kStart:
      return start(step);
    case StepKind::kCreateRoles:
      return create_roles();
    case StepKind::kClone:
      return clone(step);
    case StepKind::kAwaitStreaming:
      return await_streaming(step);
    case StepKind::kStop:
      return stop_postmaster(layout_.data_dir(node.name), kStopDeadline, stop_);
    case StepKind::kReconfigure:
      return reconfigure(step);
    case StepKind::kAwaitSync:
      return await_sync(node);
    case StepKind::kMakeSlot:
      return make_slot(step);
    case StepKind::kDropSlot:
      return drop_slot(step);
    case StepKind::kRewind:
      return rewind(step);
    case StepKind::kAwaitNear:
      return await_near(step);
    case StepKind::kCheckpoint:
      return checkpoint(node);
    case StepKind::kHold:
      return hold(node);
    case StepKind::kAwaitQuiet:
      return await_quiet(node);
    case StepKind::kAwaitComplete:
      return await_complete(step);
    case StepKind::kProveWrites:
      return prove_writes(step);
    case StepKind::kDropOwnSlots:
      return drop_own_slots(node);
    case StepKind::kRemoveData:
    case StepKind::kDiscardData:
      return take_back(UndoKind::kRemoveData, step);
    case StepKind::kAdmit:
    case StepKind::kMarkForRejoin:
      change_record(step, state_);
      return {};
    case StepKind::kTryStart:
      // Why it does not run is found when its position is asked for.
      if (auto started = start(step); !started && stop_.load()) return started;
      return {};
    case StepKind::kEnd:
      return end_node(node);
    case StepKind::kFence:
      return fence(node);
    case StepKind::kDetach:
      return detach(node);
    case StepKind::kPromote:
      return promote(step);
    case StepKind::kAwaitFollower:
      return await_follower(step);
    case StepKind::kForget:
      state_.nodes.erase(state_.nodes.begin() + static_cast<ptrdiff_t>(step.node));
      return {};
  }
  unreachable("a step kind that nobody carries out");
}

Result<void> StepRunner::reverse(const Step& step, size_t primary) {
  const UndoKind kind = reverse_of(step.kind);
  if (kind != UndoKind::kReconfigure) return take_back(kind, step);
  return take_back(kind, {step.kind, step.node, primary});
}

Result<void> StepRunner::take_back(UndoKind undo, const Step& step) {
  const std::string data = layout_.data_dir(state_.nodes[step.node].name);
  switch (undo) {
    case UndoKind::kNothing:
      return {};
    case UndoKind::kStopNode:
      return end_processes_in(data);
    case UndoKind::kStartNode:
      // One that needs a rejoin stays out, whatever has been tried with it.
      if (state_.nodes[step.node].standing == Standing::kNeedsRejoin) return {};
      return start(step);
    case UndoKind::kDropSlot:
      return drop_slot(step);
    case UndoKind::kMakeSlot:
      return make_slot(step);
    case UndoKind::kReconfigure:
      return has_data(data) ? reconfigure(step) : Result<void>();
    case UndoKind::kDropClone:
      // A server whose pg_ctl was killed comes up later, and takes the slot then.
      if (auto dropped = drop_slot(step, [&] { return end_processes_in(data); }); !dropped)
        return dropped;
      [[fallthrough]];
    case UndoKind::kRemoveData:
      if (auto ended = end_processes_in(data); !ended) return ended;
      return remove_tree(data);
    case UndoKind::kUnfence:
      return unfence(state_.nodes[step.node]);
    case UndoKind::kImpossible:
      break;
  }
  unreachable("a step that only goes forward is not taken back");
}

Command StepRunner::tool(std::vector<std::string> arguments) const {
  Command command{.arguments = std::move(arguments)};
  command.run_as = &user_;
  command.inherited_fd = lock_fd_;
  return command;
}

Result<void> StepRunner::make_folders() {
  for (const std::string& folder : {layout_.socket_dir(), layout_.log_dir()})
    if (auto made = make_folder(folder, 0700, &user_); !made) return made;
  return {};
}

Result<void> StepRunner::initialize(const NodeState& node) {
  // The folder of the cluster is not the servers' user's, so initdb finds its own one made.
  if (auto made = make_folder(layout_.data_dir(node.name), 0700, &user_); !made) return made;
  Command initdb = tool(initdb_arguments(state_, node));
  initdb.input = state_.secrets.superuser + "\n";
  initdb.deadline = std::chrono::minutes(5);  // With syncs, on a slow disk.
  return done_or_error(run_good(initdb, stop_));
}

Result<void> StepRunner::configure(const Step& step) {
  const NodeState& node = state_.nodes[step.node];
  const NodeState* primary = step.node == step.primary ? nullptr : &state_.nodes[step.primary];
  const std::string data = layout_.data_dir(node.name);
  const auto write = [&](const char* name, const std::string& text) {
    return write_file(data + name, text, 0600, &user_, durability_of(state_.spec));
  };
  auto text = read_file(data + "/postgresql.conf");
  if (!text) return std::unexpected(text.error());
  if (!text->ends_with(kIncludeLine))
    if (auto wrote = write("/postgresql.conf", *text + kIncludeLine); !wrote) return wrote;
  if (auto wrote = write_conf(node, primary); !wrote) return wrote;
  // Of a server that runs, reload() lets the server do it.
  if (const auto overrides = read_file(data + "/postgresql.auto.conf");
      overrides && !find_postmaster(data) && without_overrides(*overrides) != *overrides)
    if (auto wrote = write("/postgresql.auto.conf", without_overrides(*overrides)); !wrote)
      return wrote;
  // A primary removes its own as it is promoted.
  if (primary != nullptr && !is_standby(data))
    if (auto wrote = write("/standby.signal", ""); !wrote) return wrote;
  return write("/pg_hba.conf", render_pg_hba(state_.spec));
}

Result<void> StepRunner::reconfigure(const Step& step) {
  // One whose data is lost gets its files by a rejoin, and must not hold up the others until then.
  if (step.node != step.primary && !has_data(layout_.data_dir(state_.nodes[step.node].name)))
    return {};
  if (auto done = configure(step); !done) return done;
  auto done = reload(state_.nodes[step.node]);
  // A replica that hangs must not hold up the others: the signal waits for it.
  if (!done && step.node != step.primary && done.error().code == ErrorCode::kConnectionFailure)
    return {};
  return done;
}

Result<void> StepRunner::write_conf(const NodeState& node, const NodeState* primary) {
  return write_file(layout_.data_dir(node.name) + "/fairlead.conf",
                    render_fairlead_conf(state_, node, primary), 0600, &user_,
                    durability_of(state_.spec));
}

Result<void> StepRunner::start(const Step& step) {
  for (int attempt = 1;; ++attempt) {
    const auto failed = try_start(state_.nodes[step.node]);
    if (!failed) {
      ports_[step.node].reset();
      return {};
    }
    if (failed->why != StartFailure::kPortTaken || !may_change_port(step.node) ||
        attempt == kPortAttempts)
      return std::unexpected(failed->error);
    if (auto changed = change_port(step); !changed) return changed;
  }
}

std::unexpected<Error> StepRunner::stopped() const {
  return fail(ErrorCode::kQueryCanceled, "stopped on request", {},
              "run the command again to go on");
}

std::optional<StepRunner::FailedStart> StepRunner::try_start(const NodeState& node) {
  const auto other = [](const Error& error) { return FailedStart{StartFailure::kOther, error}; };
  if (find_postmaster(layout_.data_dir(node.name))) {
    auto running = await_running(node);
    // Its file calls a server ready that was told to end and has not heard of it yet, by a command
    // that was killed. Whoever is let in or turned away is so behind that.
    if (running) {
      static_cast<void>(connect(node));
      running = await_running(node);
    }
    if (running) return std::nullopt;
    // Gone now: it was still shutting down.
    if (stop_.load() || find_postmaster(layout_.data_dir(node.name))) return other(running.error());
  }
  forget_dead_postmaster(layout_.data_dir(node.name), layout_.socket(node.port));
  const auto log_before = file_size(layout_.log_file(node.name));
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(start_patience_);
  Command pg_ctl = tool(start_arguments(state_, node, seconds));
  pg_ctl.deadline = seconds + kStartMargin;
  // On SIGINT pg_ctl ends the server that it is starting; on SIGTERM it would leave it.
  pg_ctl.stop_signal = SIGINT;
  pg_ctl.inherited_fd = -1;  // The server would hold the lock for ever.
  auto ending = run_good(pg_ctl, stop_);
  if (ending) {
    auto running = await_running(node);
    return running ? std::nullopt : std::optional(other(running.error()));
  }
  Error error = ending.error();
  if (error.code == ErrorCode::kQueryCanceled) return other(error);
  const std::string news = read_log_end(layout_.log_file(node.name), log_before);
  error.message = fmt::format("{} did not start", node.name);
  if (!news.empty()) error.detail += fmt::format("\nits log:\n{}", tail(news, 8));
  error.hint = fmt::format("its log is {}", layout_.log_file(node.name));
  if (!news.contains("Address already in use")) return other(error);
  error.message = fmt::format("{} did not start: port {} is in use", node.name, node.port);
  error.hint = "end the other server, then run the command again";
  return FailedStart{StartFailure::kPortTaken, error};
}

Result<void> StepRunner::await_running(const NodeState& node) {
  const std::string data = layout_.data_dir(node.name);
  const auto deadline = std::chrono::steady_clock::now() + start_patience_;
  for (;;) {
    const auto server = find_postmaster(data);
    if (server && server->accepts_connections) return {};
    if (stop_.load()) return stopped();
    if (!server || std::chrono::steady_clock::now() >= deadline)
      return fail(ErrorCode::kCannotConnectNow,
                  fmt::format("{} {}", node.name,
                              server ? "runs, but accepts no connections" : "ended again"),
                  tail(read_log_end(layout_.log_file(node.name)), 8),
                  fmt::format("its log is {}", layout_.log_file(node.name)));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

bool StepRunner::may_change_port(size_t node) const {
  // Nobody was told the number yet: the node is being made, the number is the system's choice, and
  // no replica was cloned from it.
  if (state_.spec.base_port != 0) return false;
  if (state_.phase != Phase::kCreating) return state_.nodes[node].standing == Standing::kJoining;
  return node != 0 || state_.nodes.size() == 1 || !exists(layout_.data_dir(state_.nodes[1].name));
}

Result<void> StepRunner::change_port(const Step& step) {
  auto reserved = PortReservation::make(state_.spec.host, 0);
  if (!reserved) return std::unexpected(reserved.error());
  state_.nodes[step.node].port = reserved->port();
  ports_[step.node] = std::move(*reserved);
  if (auto wrote = write_state(layout_, state_); !wrote) return wrote;
  return configure(step);
}

Result<void> StepRunner::clone(const Step& step) {
  const NodeState& node = state_.nodes[step.node];
  if (auto made = make_folder(layout_.data_dir(node.name), 0700, &user_); !made) return made;
  Command backup = tool(base_backup_arguments(state_, state_.nodes[step.primary], node));
  backup.environment = {"PGPASSWORD=" + state_.secrets.replication};
  backup.deadline = kCloneDeadline;
  BackupProgress progress;
  backup.on_err = [&](std::string_view text) {
    progress.take(text);
    if (listener_ && progress.total_bytes() > 0)
      listener_(progress.done_bytes(), progress.total_bytes());
  };
  auto done = done_or_error(run_good(backup, stop_));
  if (!done) done.error().detail = without_progress(done.error().detail);
  return done;
}

}  // namespace fairlead::cluster
