// The steps of a switchover that wait: for proxies, for clients, for the last bytes of WAL.
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <thread>

#include "cluster/control_data.h"
#include "cluster/files.h"
#include "cluster/polling.h"
#include "cluster/server_files.h"
#include "cluster/step_runner.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

/// Replayed in some 20 ms: the pause is not longer for it.
constexpr uint64_t kNearBytes = 1024 * 1024;
/// The hold outlives the patience by this: the shutdown needs a moment too.
constexpr std::chrono::seconds kHoldMargin{3};
constexpr std::chrono::seconds kCompleteDeadline{20};
constexpr std::chrono::minutes kCheckpointDeadline{10};
/// A commit that reaches a standby at all does so within its retry interval (0.5 s).
constexpr std::chrono::seconds kFirstWriteDeadline{10};

/// Clients at work, other than the proxies' probes and ourselves. A transaction that waits for its
/// client counts: it would be lost.
constexpr const char* kBusy = R"sql(
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
        AND application_name LIKE 'fairlead-monitor%'
        AND application_name <> 'fairlead-monitor-holding'),
       count(*),
       coalesce(string_agg(format('process %s of %s (%s), %s: %s', pid, usename, application_name,
                                  state, left(query, 60)), '; ' ORDER BY xact_start), '')
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'
      AND application_name NOT LIKE 'fairlead-monitor%')sql";

}  // namespace

std::chrono::milliseconds StepRunner::patience() const {
  return state_.operation ? state_.operation->patience : std::chrono::milliseconds(0);
}

Result<void> StepRunner::await_near(const Step& step) {
  const NodeState& node = state_.nodes[step.node];
  auto sql = connect(state_.nodes[step.primary]);
  if (!sql) return std::unexpected(sql.error());
  const std::string question = fmt::format(
      "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint FROM pg_stat_replication "
      "WHERE application_name = {} AND state = 'streaming'",
      sql->literal(node.name));
  const auto deadline = Clock::now() + patience();
  for (;;) {
    const auto answer = sql->query(question);
    if (!answer) return std::unexpected(answer.error());
    int64_t behind = -1;
    if (!answer->rows.empty() && answer->rows.front().front()) {
      const std::string& text = *answer->rows.front().front();
      std::from_chars(text.data(), text.data() + text.size(), behind);
      if (behind < static_cast<int64_t>(kNearBytes)) return {};
    }
    if (stop_.load()) return stopped();
    if (Clock::now() >= deadline)
      return fail(ErrorCode::kCannotConnectNow,
                  behind < 0 ? fmt::format("{} does not stream", node.name)
                             : fmt::format("{} stays {} bytes behind", node.name, behind),
                  {}, "look at fairlead cluster status; choose another node with --to");
    std::this_thread::sleep_for(kPollInterval);
  }
}

Result<void> StepRunner::checkpoint(const NodeState& node) {
  auto sql = connect(node);
  if (!sql) return std::unexpected(sql.error());
  return done_or_error(sql->query("CHECKPOINT", kCheckpointDeadline));
}

Result<void> StepRunner::hold(const NodeState& node) {
  auto sql = connect(node);
  if (!sql) return std::unexpected(sql.error());
  const auto span = std::chrono::ceil<std::chrono::seconds>(patience() + kHoldMargin);
  const auto until = sql->value(fmt::format(
      "SELECT (ceil(extract(epoch FROM clock_timestamp())) + {})::bigint", span.count()));
  if (!until) return std::unexpected(until.error());
  int64_t second = 0;
  std::from_chars(until->data(), until->data() + until->size(), second);
  auto wrote = write_file(layout_.data_dir(node.name) + "/fairlead.conf",
                          render_fairlead_conf(state_, node, nullptr) + hold_line(second), 0600,
                          &user_, durability_of(state_.spec));
  return wrote ? reload(node) : wrote;
}

Result<void> StepRunner::await_quiet(const NodeState& node) {
  auto sql = connect(node);
  if (!sql) return std::unexpected(sql.error());
  const auto deadline = Clock::now() + patience();
  int quiet_looks = 0;
  for (;;) {
    const auto answer = sql->query(kBusy);
    if (!answer) return std::unexpected(answer.error());
    const auto& row = answer->rows.front();
    const bool quiet = row[0] == "0" && row[1] == "0";
    quiet_looks = quiet ? quiet_looks + 1 : 0;
    // Between a client's statements of one look, the next one may begin: so two in a row.
    if (quiet_looks == 2) return {};
    if (stop_.load()) return stopped();
    if (Clock::now() >= deadline)
      return fail(
          ErrorCode::kCannotConnectNow,
          fmt::format("{} has not come to rest within {} ms", node.name, patience().count()),
          fmt::format("{} proxies do not hold yet; at work: {}", row[0].value_or("?"),
                      row[2].value_or("").empty() ? "nobody" : *row[2]),
          "end what is at work, or allow more with --timeout");
    std::this_thread::sleep_for(kPollInterval);
  }
}

Result<void> StepRunner::await_complete(const Step& step) {
  const NodeState& node = state_.nodes[step.node];
  const NodeState& old = state_.nodes[step.primary];
  const auto control = read_control_data(state_, user_, old);
  if (!control) return std::unexpected(control.error());
  if (!control->is_clean_primary())
    return fail(ErrorCode::kIo, fmt::format("{} was not shut down cleanly", old.name),
                fmt::format("its state is \"{}\"", control->state));
  auto sql = connect(node);
  if (!sql) return std::unexpected(sql.error());
  // Past the beginning of the last record is past all of it: positions lie between records.
  const std::string question =
      fmt::format("SELECT pg_last_wal_replay_lsn() > '{}'", control->checkpoint.to_string());
  const auto deadline = Clock::now() + kCompleteDeadline;
  for (;;) {
    const auto complete = sql->value(question);
    if (!complete) return std::unexpected(complete.error());
    if (*complete == "t") return {};
    if (stop_.load()) return stopped();
    if (Clock::now() >= deadline)
      return fail(ErrorCode::kIo,
                  fmt::format("{} has not received everything that {} wrote", node.name, old.name),
                  fmt::format("it must come past {}", control->checkpoint.to_string()),
                  fmt::format("its log is {}", layout_.log_file(node.name)));
    std::this_thread::sleep_for(kPollInterval);
  }
}

Result<void> StepRunner::prove_writes(const Step& step) {
  auto sql = connect_to_primary(step);
  if (!sql) return std::unexpected(sql.error());
  sql->stop_with(stop_);
  // A commit with WAL, as a client's is: it waits for the standbys of the rule.
  auto done = done_or_error(sql->query(
      "SELECT pg_logical_emit_message(true, 'fairlead', 'switchover')", kFirstWriteDeadline));
  // One that waits for a standby that has died meanwhile is helped by the steps behind this one,
  // which bring the old primary back and see who follows.
  if (!done && done.error().code == ErrorCode::kQueryCanceled && !stop_.load()) return {};
  return done;
}

}  // namespace fairlead::cluster
