// Asking the nodes.
#include "cluster/status.h"

#include <algorithm>
#include <charconv>
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
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END)sql";

std::optional<Lsn> lsn_of(const Cell& cell) { return cell ? Lsn::parse(*cell) : std::nullopt; }

uint32_t number_of(const Cell& cell) {
  uint32_t value = 0;
  if (cell) std::from_chars(cell->data(), cell->data() + cell->size(), value);
  return value;
}

void fill(StatusRow& row, const std::vector<Cell>& answer) {
  const bool in_recovery = answer[0] == "t";
  row.role = in_recovery ? Role::kReplica : Role::kPrimary;
  row.timeline = number_of(answer[1]);
  row.receive_lsn = lsn_of(answer[2]);
  row.replay_lsn = lsn_of(answer[3]);
  if (!in_recovery)
    row.state = "running";
  else if (answer[4] != "streaming")
    row.state = "not streaming";
  else
    row.state = answer[5] == "t" ? "replay paused" : "streaming";
}

StatusRow ask(const Cluster& cluster, const Node& node) {
  StatusRow row;
  row.name = node.name;
  row.role = node.role;
  row.state = "stopped";
  row.host = node.host;
  row.port = node.port;
  const auto server = find_postmaster(node.data_dir);
  if (!server) return row;
  row.state = server->accepts_connections ? "not answering" : "starting";
  auto sql = SqlConnection::open(cluster.as_superuser(node, "postgres"), kPatience);
  if (!sql) return row;
  const auto answer = sql->query(kQuestion, kPatience);
  if (answer && answer->rows.size() == 1) fill(row, answer->rows.front());
  return row;
}

}  // namespace

std::vector<StatusRow> ask_nodes(const Cluster& cluster) {
  std::vector<StatusRow> rows;
  for (const Node& node : cluster.nodes) rows.push_back(ask(cluster, node));
  // Of two nodes that both say primary, the higher timeline is the newer (E2).
  const StatusRow* primary = nullptr;
  for (const StatusRow& row : rows)
    if (row.role == Role::kPrimary && row.replay_lsn &&
        (!primary || row.timeline > primary->timeline))
      primary = &row;
  if (primary == nullptr) return rows;
  const uint64_t head = primary->replay_lsn->value;
  for (StatusRow& row : rows)
    if (row.role == Role::kReplica && row.replay_lsn && row.timeline == primary->timeline)
      // A replica that was asked after the primary may be past the sample.
      row.lag_bytes = head > row.replay_lsn->value ? head - row.replay_lsn->value : 0;
  return rows;
}

}  // namespace fairlead::cluster
