// The steps that take the role of the primary from one node and give it to another.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "cluster/files.h"
#include "cluster/polling.h"
#include "cluster/postmaster.h"
#include "cluster/step_runner.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

/// A fast shutdown waits for the replicas to have everything; one that hangs is not waited for.
constexpr std::chrono::seconds kShutdownPatience{10};
constexpr std::chrono::seconds kReceiverDeadline{15};
/// Promotion replays what was received, and a server that recovers does that at some 50 MB/s.
constexpr std::chrono::minutes kPromoteDeadline{10};
/// A replica that can follow does so within its retry interval (0.5 s).
constexpr std::chrono::seconds kFollowPatience{15};

}  // namespace

Result<void> StepRunner::end_node(const NodeState& node) {
  const std::string data = layout_.data_dir(node.name);
  const auto stopped_well = stop_postmaster(data, kShutdownPatience, stop_);
  if (stopped_well || stop_.load()) return stopped_well;
  return end_processes_in(data);
}

Result<void> StepRunner::fence(const NodeState& node) {
  const std::string data = layout_.data_dir(node.name);
  if (auto ended = end_processes_in(data); !ended) return ended;
  // Not even by hand does it come up as a primary from now on: as a standby it waits for a timeline
  // that it can follow.
  if (!exists(data) || is_standby(data)) return {};
  return write_file(data + "/standby.signal", "", 0600, &user_, Durability::kSynced);
}

Result<void> StepRunner::unfence(const NodeState& node) {
  const std::string path = layout_.data_dir(node.name) + "/standby.signal";
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("remove", path, errno);
  return exists(layout_.data_dir(node.name)) ? write_conf(node, nullptr) : Result<void>();
}

Result<void> StepRunner::detach(const NodeState& node) {
  if (!has_data(layout_.data_dir(node.name))) return {};  // Its disk is lost: it counts as unseen.
  if (auto wrote = write_conf(node, nullptr); !wrote) return wrote;
  if (!find_postmaster(layout_.data_dir(node.name))) return {};
  // One that does not answer is not compared with the others, and does not hold them up.
  if (auto reloaded = reload(node); !reloaded)
    return reloaded.error().code == ErrorCode::kConnectionFailure ? Result<void>() : reloaded;
  auto sql = connect(node);
  if (!sql) return {};
  return await_no_receiver(*sql, node);
}

Result<void> StepRunner::await_no_receiver(SqlConnection& sql, const NodeState& node) {
  const auto deadline = Clock::now() + kReceiverDeadline;
  for (;;) {
    const auto receivers =
        sql.value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walreceiver'");
    if (!receivers) return std::unexpected(receivers.error());
    if (*receivers == "0") return {};
    if (stop_.load()) return stopped();
    if (Clock::now() >= deadline)
      return fail(ErrorCode::kIo, fmt::format("{} does not stop receiving WAL", node.name), {},
                  fmt::format("its log is {}", layout_.log_file(node.name)));
    std::this_thread::sleep_for(kPollInterval);
  }
}

Result<void> StepRunner::promote(const Step& step) {
  const NodeState& node = state_.nodes[step.node];
  // It may have been killed together with a command that was to promote it.
  if (auto started = start(step); !started) return started;
  auto sql = connect(node);
  if (!sql) return std::unexpected(sql.error());
  // Done already, when a command was killed behind it.
  const auto in_recovery = sql->value("SELECT pg_is_in_recovery()");
  if (!in_recovery) return std::unexpected(in_recovery.error());
  if (*in_recovery == "f") return {};
  const auto seconds = std::chrono::seconds(kPromoteDeadline).count();
  const auto promoted = sql->query(fmt::format("SELECT pg_promote(true, {})", seconds),
                                   kPromoteDeadline + std::chrono::seconds(5));
  if (!promoted) return std::unexpected(promoted.error());
  if (promoted->rows.front().front() == "t") return {};
  return fail(
      ErrorCode::kIo,
      fmt::format("{} was told to become the primary and did not within {} s", node.name, seconds),
      tail(read_log_end(layout_.log_file(node.name)), 8),
      fmt::format("its log is {}", layout_.log_file(node.name)));
}

Result<void> StepRunner::await_follower(const Step& step) {
  if (auto there = connect_to_primary(step); !there) return std::unexpected(there.error());
  const NodeState& node = state_.nodes[step.node];
  const auto started = start(step);
  if (!started && stop_.load()) return started;
  // One that is still recovering has not started, and may stream in time.
  const bool runs = started || find_postmaster(layout_.data_dir(node.name));
  const auto streams = runs ? await_streaming(step, kFollowPatience) : started;
  if (streams || stop_.load()) return streams;
  change_record({StepKind::kMarkForRejoin, step.node}, state_);
  if (auto ended = end_processes_in(layout_.data_dir(node.name)); !ended) return ended;
  // Commits do not wait for it any more.
  if (auto wrote = write_conf(state_.nodes[step.primary], nullptr); !wrote) return wrote;
  return reload(state_.nodes[step.primary]);
}

}  // namespace fairlead::cluster
