// Asking the nodes, and the files of the one that is gone.
#include "cluster/positions.h"

#include <fmt/format.h>

#include <thread>

#include "cluster/control_data.h"
#include "cluster/postmaster.h"
#include "cluster/server_files.h"
#include "cluster/subprocess.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPatience{2000};
constexpr std::chrono::milliseconds kBetweenLooks{50};

/// The timeline that a replica is on: the highest of its segments of WAL, because the control file
/// follows only at a restart point. Replay is at its end when the startup process waits for more;
/// until then, without a received position (after a restart), it is not known how far the node is.
constexpr const char* kQuestion = R"sql(
SELECT pg_is_in_recovery(),
       (SELECT system_identifier FROM pg_control_system()),
       greatest((SELECT max(('x' || left(name, 8))::bit(32)::int) FROM pg_ls_waldir()
                 WHERE name ~ '^[0-9A-F]{24}$'),
                (SELECT timeline_id FROM pg_control_checkpoint())),
       CASE WHEN pg_is_in_recovery()
            THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) END,
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() IS NOT NULL OR EXISTS (
            SELECT FROM pg_stat_activity WHERE backend_type = 'startup' AND wait_event IN
            ('RecoveryRetrieveRetryInterval', 'RecoveryWalStream', 'RecoveryWalAll')) END)sql";

void read_position(const std::vector<Cell>& answer, const std::string& system_identifier,
                   Candidate& candidate) {
  const auto position = answer[3] ? Lsn::parse(*answer[3]) : std::nullopt;
  if (answer[0] != "t") {
    candidate.why_not = "it is no replica: it is not in recovery";
    return;
  }
  if (!system_identifier.empty() && answer[1] != system_identifier) {
    candidate.why_not = fmt::format("it is a copy of another system ({} instead of {})",
                                    answer[1].value_or("?"), system_identifier);
    return;
  }
  candidate.timeline = number_of<uint32_t>(answer[2]).value_or(0);
  candidate.position = position.value_or(Lsn{});
  if (!position)
    candidate.why_not = "it has no position yet";
  else if (answer[4] != "t")
    candidate.why_not = "it has not replayed all of its WAL yet (is its replay paused?)";
  else
    candidate.examined = true;
}

Candidate ask(const Cluster& cluster, const Node& node, const std::string& system_identifier) {
  Candidate out;
  out.name = node.name;
  if (node.standing != Standing::kMember) {
    out.why_not = node.standing == Standing::kJoining ? "it is being added" : "it needs a rejoin";
    return out;
  }
  if (!find_postmaster(node.data_dir)) {
    out.why_not = "it is stopped";
    return out;
  }
  auto sql = SqlConnection::open(cluster.as_superuser(node, "postgres"), kPatience);
  const auto answer =
      sql ? sql->query(kQuestion, kPatience) : Result<SqlRows>(std::unexpected(sql.error()));
  if (!answer)
    out.why_not = describe(answer.error());
  else
    read_position(answer->rows.front(), system_identifier, out);
  return out;
}

}  // namespace

std::vector<Candidate> look_at(const Cluster& cluster, const std::vector<size_t>& nodes,
                               const std::string& system_identifier) {
  std::vector<Candidate> out;
  for (const size_t node : nodes)
    out.push_back(ask(cluster, cluster.nodes[node], system_identifier));
  return out;
}

std::vector<Candidate> settled_positions(const Cluster& cluster, const std::vector<size_t>& nodes,
                                         const std::string& system_identifier,
                                         std::chrono::milliseconds patience, const StopFlag& stop) {
  const auto deadline = Clock::now() + patience;
  auto before = look_at(cluster, nodes, system_identifier);
  for (;;) {
    std::this_thread::sleep_for(kBetweenLooks);
    auto now = look_at(cluster, nodes, system_identifier);
    bool waits = false;  // For somebody who is not at the end yet.
    bool same = true;
    for (size_t i = 0; i < now.size(); ++i) {
      waits = waits || (!now[i].examined && now[i].position);
      same = same && now[i] == before[i];
    }
    if (same && !waits) return now;
    if (stop.load() || Clock::now() >= deadline) {
      for (size_t i = 0; i < now.size(); ++i)
        if (now[i].examined && now[i] != before[i]) {
          now[i].examined = false;
          now[i].why_not = "its position still moves";
        }
      return now;
    }
    before = std::move(now);
  }
}

OldPrimary look_back_at(const ClusterState& state, const OsUser& user, size_t primary) {
  const NodeState& node = state.nodes[primary];
  OldPrimary out;
  out.name = node.name;
  const StopFlag never = false;
  Command ask{.arguments = {state.spec.pg_bin + "/postgres", "-D",
                            Layout(state.spec.dir).data_dir(node.name), "-C",
                            "synchronous_standby_names"}};
  ask.run_as = &user;
  // Somebody may have changed it with ALTER SYSTEM: what the server reads counts, not our record.
  const auto said = run_good(ask, never);
  auto list = said ? parse_standby_names(tail(said->out, 1)) : Result<StandbyList>(StandbyList{});
  if (!said || !list)
    list = parse_standby_names(standby_names(state.spec.sync, standbys_of(state, node)));
  if (list) out.commits_waited_for = std::move(*list);
  const auto control = read_control_data(state, user, node);
  if (control && control->is_clean_primary()) {
    out.clean_end = control->checkpoint;
    out.timeline = control->timeline;
  }
  return out;
}

std::string system_identifier_of(const ClusterState& state, const OsUser& user, size_t node) {
  const auto control = read_control_data(state, user, state.nodes[node]);
  return control ? control->system_identifier : std::string();
}

}  // namespace fairlead::cluster
