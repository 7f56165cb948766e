// Whether synchronous replication is what the rule says, by the primary's own word.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "cluster/polling.h"
#include "cluster/server_files.h"
#include "cluster/step_runner.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

/// Standbys are given their new state at their next report, within a second (our setting of
/// wal_receiver_status_interval); what is not there by then does not stream.
constexpr std::chrono::seconds kSyncDeadline{20};

std::unexpected<Error> overridden(const NodeState& primary, const std::string& value) {
  return fail(ErrorCode::kConfig,
              fmt::format("{} does not take the rule: synchronous_standby_names is '{}' there",
                          primary.name, value),
              "its command line sets it, or a file that was written since",
              "SELECT source, sourcefile FROM pg_settings WHERE name = 'synchronous_standby_names' "
              "says which; take it out there, then run the command again");
}

/// Those that count for commits, and have all that was committed before they did.
std::string question_about(const std::string& position) {
  return fmt::format(
      "SELECT DISTINCT application_name FROM pg_stat_replication WHERE state = 'streaming'"
      " AND sync_state IN ('sync', 'quorum') AND flush_lsn >= '{}'",
      position);
}

}  // namespace

Result<void> StepRunner::await_sync(const NodeState& primary) {
  const SyncRule& rule = state_.spec.sync;
  const std::vector<std::string> listed = standbys_of(state_, primary);
  auto sql = connect(primary);
  if (!sql) return std::unexpected(sql.error());
  const auto names = sql->value("SHOW synchronous_standby_names");
  if (!names) return std::unexpected(names.error());
  if (*names != standby_names(rule, listed)) return overridden(primary, *names);
  // What was acknowledged under the rule before may be on others, or on fewer: a promotion that
  // goes by this rule would lose it (E10).
  const auto position = sql->value("SELECT pg_current_wal_flush_lsn()");
  if (!position) return std::unexpected(position.error());
  const std::string question = question_about(*position);
  const auto deadline = Clock::now() + kSyncDeadline;
  for (;;) {
    const auto standbys = sql->query(question);
    if (!standbys) return std::unexpected(standbys.error());
    const auto counted = std::ranges::count_if(standbys->rows, [&](const auto& row) {
      return std::ranges::find(listed, row[0].value_or("")) != listed.end();
    });
    if (static_cast<size_t>(counted) >= rule.count) return {};
    if (stop_.load()) return stopped();
    if (Clock::now() >= deadline)
      return fail(
          ErrorCode::kCannotConnectNow,
          fmt::format("commits on {} would wait for {} replicas, and {} of them had {} in time",
                      primary.name, rule.count, counted, *position),
          {}, "fairlead cluster status shows what they do");
    std::this_thread::sleep_for(kPollInterval);
  }
}

}  // namespace fairlead::cluster
