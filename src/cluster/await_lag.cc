#include "cluster/await_lag.h"

#include <fmt/format.h>

#include <thread>

#include "cluster/files.h"
#include "cluster/polling.h"
#include "cluster/run_plan.h"
#include "cluster/subprocess.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Result<Duration> await_lag(const Cluster& cluster, size_t primary, size_t node,
                           std::chrono::milliseconds max_lag, std::chrono::milliseconds timeout,
                           const StopFlag& stop) {
  const Node& replica = cluster.nodes[node];
  auto source = SqlConnection::open(cluster.as_superuser(cluster.nodes[primary], "postgres"));
  if (!source) return std::unexpected(source.error());
  auto target = SqlConnection::open(cluster.as_superuser(replica, "postgres"));
  if (!target) return std::unexpected(target.error());
  const auto deadline = Clock::now() + timeout;
  for (;;) {
    const auto sampled_at = Clock::now();
    const auto position = source->value("SELECT pg_current_wal_flush_lsn()");
    if (!position) return std::unexpected(position.error());
    const std::string question = fmt::format("SELECT pg_last_wal_replay_lsn() >= '{}'", *position);
    for (;;) {
      const auto there = target->value(question);
      if (!there) return std::unexpected(there.error());
      const auto now = Clock::now();
      if (*there == "t" && now - sampled_at <= max_lag)
        return std::chrono::duration_cast<Duration>(now - sampled_at);
      if (stop.load()) return stopped();
      if (now >= deadline)
        return fail(ErrorCode::kCannotConnectNow,
                    fmt::format("{} stays more than {} ms behind", replica.name, max_lag.count()),
                    tail(read_log_end(replica.log_file), 8),
                    "allow more with --max-lag, or try again when less is written");
      if (*there == "t") break;  // Late: once more, with what the primary has now.
      std::this_thread::sleep_for(kPollInterval);
    }
  }
}

}  // namespace fairlead::cluster
