// Asking the nodes.
#include "cluster/status.h"

#include <algorithm>
#include <chrono>

#include "cluster/postmaster.h"

namespace fairlead::cluster {

namespace {

constexpr std::chrono::milliseconds kPatience{2000};

/// The timeline of a promoted node must come from its WAL position: pg_control_checkpoint() still
/// names the old one until the next checkpoint.
constexpr const char* kQuestion = R"sql(
SELECT pg_is_in_recovery(),
       CASE WHEN pg_is_in_recovery()
            THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver), (pg_control_checkpoint()).timeline_id)
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() END,
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
       (SELECT status FROM pg_stat_wal_receiver),
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END,
       (SELECT system_identifier FROM pg_control_system()),
       (extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * 1e6)::bigint)sql";

constexpr const char* kSyncQuestion = R"sql(
SELECT application_name, sync_state FROM pg_stat_replication ORDER BY backend_start)sql";

std::optional<Lsn> lsn_of(const Cell& cell) { return cell ? Lsn::parse(*cell) : std::nullopt; }

void fill(StatusRow& row, const std::vector<Cell>& answer) {
  const bool in_recovery = answer[0] == "t";
  row.role = in_recovery ? Role::kReplica : Role::kPrimary;
  row.timeline = number_of<uint32_t>(answer[1]).value_or(0);
  row.receive_lsn = lsn_of(answer[2]);
  row.replay_lsn = lsn_of(answer[3]);
  row.system_identifier = answer[6].value_or("");
  if (!in_recovery) {
    row.state = "running";
    return;
  }
  if (answer[4] != "streaming")
    row.state = "not streaming";
  else
    row.state = answer[5] == "t" ? "replay paused" : "streaming";
  // A clock that was set back must not make a negative lag.
  if (const auto age = number_of<int64_t>(answer[7]))
    row.lag_time = Duration(std::max<int64_t>(*age, 0));
}

Result<SqlConnection> connect(const Cluster& cluster, const Node& node) {
  return SqlConnection::open(cluster.as_superuser(node, "postgres"), kPatience);
}

StatusRow ask(const Cluster& cluster, const Node& node) {
  StatusRow row;
  row.name = node.name;
  row.role = node.role;
  row.state = node.standing == Standing::kNeedsRejoin ? "needs rejoin"
              : node.standing == Standing::kJoining   ? "joining"
                                                      : "stopped";
  row.host = node.host;
  row.port = node.port;
  const auto server = find_postmaster(node.data_dir);
  if (!server) return row;
  row.state = server->accepts_connections ? "not answering" : "starting";
  auto sql = connect(cluster, node);
  if (!sql) return row;
  const auto answer = sql->query(kQuestion, kPatience);
  if (answer && answer->rows.size() == 1) fill(row, answer->rows.front());
  return row;
}

/// Nothing when the primary does not answer any more: then nobody knows.
SyncStates ask_sync_states(const Cluster& cluster, const StatusRow& primary) {
  auto sql = connect(cluster, *cluster.find(primary.name));
  if (!sql) return {};
  const auto answer = sql->query(kSyncQuestion, kPatience);
  if (!answer) return {};
  SyncStates states;
  for (const auto& row : answer->rows) states[row[0].value_or("")] = row[1].value_or("");
  return states;
}

uint64_t behind(Lsn head, Lsn position) {
  // A replica that was asked after the primary may be past the sample.
  return head > position ? head.value - position.value : 0;
}

}  // namespace

const StatusRow* primary_of(const std::vector<StatusRow>& rows) {
  const StatusRow* primary = nullptr;
  bool ambiguous = false;
  for (const StatusRow& row : rows) {
    if (row.role != Role::kPrimary || !row.answers()) continue;
    if (primary != nullptr && row.timeline < primary->timeline) continue;
    ambiguous = primary != nullptr && row.timeline == primary->timeline;
    primary = &row;
  }
  return ambiguous ? nullptr : primary;
}

void compare_with_primary(std::vector<StatusRow>& rows, const SyncStates& sync_states) {
  const StatusRow* primary = primary_of(rows);
  const Lsn head = primary == nullptr ? Lsn{} : *primary->replay_lsn;
  for (StatusRow& row : rows) {
    if (&row == primary || !row.answers()) continue;
    if (row.role == Role::kPrimary) {
      if (primary != nullptr) row.state = "superseded";
      continue;
    }
    if (const auto seen = sync_states.find(row.name); seen != sync_states.end())
      row.sync_state = seen->second;
    if (primary == nullptr || row.timeline != primary->timeline) {
      row.lag_time.reset();
      continue;
    }
    if (row.receive_lsn) row.receive_lag_bytes = behind(head, *row.receive_lsn);
    row.lag_bytes = behind(head, *row.replay_lsn);
    if (*row.lag_bytes == 0) row.lag_time = Duration{0};
  }
}

std::vector<StatusRow> ask_nodes(const Cluster& cluster) {
  std::vector<StatusRow> rows;
  for (const Node& node : cluster.nodes) rows.push_back(ask(cluster, node));
  const StatusRow* primary = primary_of(rows);
  compare_with_primary(rows,
                       primary == nullptr ? SyncStates{} : ask_sync_states(cluster, *primary));
  return rows;
}

}  // namespace fairlead::cluster
