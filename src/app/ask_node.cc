#include "app/ask_node.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "config/units.h"
#include "proxy/node_questions.h"

namespace fairlead::app {

namespace {

// Every function here is open to every user (PostgreSQL 13 to 19); only the receiver's details need
// pg_read_all_stats, which pg_monitor includes. The timeline of a primary is that of the WAL it
// writes, because the control file lags behind (D20).
constexpr const char* kQuestion = R"sql(
SELECT current_setting('server_version'), current_setting('server_version_num'), pg_is_in_recovery(),
       CASE WHEN pg_is_in_recovery()
            THEN coalesce((SELECT nullif(received_tli, 0) FROM pg_stat_wal_receiver),
                          (SELECT timeline_id FROM pg_control_checkpoint()))
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END,
       (SELECT system_identifier FROM pg_control_system()),
       CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
       exists(SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL),
       pg_has_role('pg_read_all_stats', 'USAGE'),
       current_setting('is_superuser') = 'on',
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint)sql";
constexpr size_t kColumns = 12;

uint32_t number(const std::optional<std::string>& cell) {
  return static_cast<uint32_t>(config::parse_number(cell.value_or(""), UINT32_MAX).value_or(0));
}

// 0 never expires in the configuration; a person at a terminal waits 30 seconds at most.
constexpr Duration kPatience = std::chrono::seconds(30);

/// Longer than a probe's: here a slow answer is worth having.
Duration patience_of(const config::Cluster& cluster) {
  if (cluster.probe_timeout.count() == 0) return kPatience;
  return std::min(kPatience, std::max(cluster.probe_timeout, Duration(std::chrono::seconds(5))));
}

constexpr std::string_view kRoleSql = "SELECT pg_catalog.pg_is_in_recovery()";

bool is_primary(const std::vector<proxy::Row>& role) {
  return role.size() == 1 && role[0].size() == 1 && role[0][0] == "f";
}

}  // namespace

Result<NodeAnswer> ask_node(const config::Cluster& cluster, const config::NodeAddress& node) {
  const auto answers =
      proxy::ask_node({.cluster = cluster, .address = node, .timeout = patience_of(cluster)},
                      {kQuestion}, "fairlead check");
  if (!answers) return std::unexpected(answers.error());
  const std::vector<proxy::Row>& rows = answers->front();
  if (rows.size() != 1 || rows[0].size() != kColumns)
    return fail(ErrorCode::kProtocolViolation, "the node's answer is not as asked");
  const proxy::Row& row = rows[0];
  NodeAnswer out;
  out.version = row[0].value_or("");
  out.version_num = number(row[1]);
  out.in_recovery = row[2] == "t";
  out.timeline = number(row[3]);
  out.system_identifier = row[4].value_or("");
  out.position = Lsn::parse(row[5].value_or("")).value_or(Lsn{});
  out.streams = row[6] == "t";
  out.sees_receiver = row[7] == "t";
  out.is_superuser = row[8] == "t";
  out.connections_max = number(row[9]);
  out.connections_taken = number(row[10]);
  out.started_us = row[11].value_or("");
  return out;
}

Result<void> ask_in_database(const config::Cluster& cluster, const config::NodeAddress& node,
                             const std::string& database) {
  const auto answers = proxy::ask_node(
      {.cluster = cluster, .address = node, .database = database, .timeout = patience_of(cluster)},
      {std::string(kRoleSql)}, "fairlead check");
  if (!answers) return std::unexpected(answers.error());
  return {};
}

Result<std::vector<std::vector<proxy::Row>>> ask_primary(const config::Cluster& cluster,
                                                         const std::string& database,
                                                         std::vector<std::string> questions) {
  const config::NodeAddress* found = nullptr;
  std::string refusals;
  const auto ask = [&](const config::NodeAddress& node, std::vector<std::string> of_it) {
    return proxy::ask_node(
        {.cluster = cluster, .address = node, .database = database, .timeout = kPatience},
        std::move(of_it), "fairlead explain");
  };
  for (const config::NodeAddress& node : cluster.nodes) {
    const auto role = ask(node, {std::string(kRoleSql)});
    if (!role) {
      refusals += (refusals.empty() ? "" : "; ") + describe(role.error());
      continue;
    }
    if (!is_primary(role->front())) continue;
    if (found != nullptr)
      return fail(ErrorCode::kCannotConnectNow, "more than one node accepts writes", {},
                  "fairlead check tells more");
    found = &node;
  }
  if (found == nullptr)
    return fail(ErrorCode::kConnectionFailure, "no node that answers is a primary", refusals,
                "fairlead check tells more");
  return ask(*found, std::move(questions));
}

}  // namespace fairlead::app
