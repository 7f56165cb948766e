#include "app/ask_node.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <utility>
#include <vector>

#include "config/units.h"

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
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'))sql";
constexpr size_t kColumns = 11;

std::string quoted_value(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "'";
}

uint32_t number(const cluster::Cell& cell) {
  return static_cast<uint32_t>(config::parse_number(cell.value_or(""), UINT32_MAX).value_or(0));
}

std::chrono::milliseconds deadline_of(Duration timeout) {
  // 0 never expires in the configuration; a person at a terminal waits 30 seconds at most.
  constexpr std::chrono::milliseconds kMax{30'000};
  return timeout.count() == 0
             ? kMax
             : std::min(kMax, std::chrono::ceil<std::chrono::milliseconds>(timeout));
}

}  // namespace

void forget_libpq_environment() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (text.starts_with("PG")) names.emplace_back(text.substr(0, text.find('=')));
  }
  for (const std::string& name : names) unsetenv(name.c_str());
}

std::string conninfo(const config::Cluster& cluster, const config::NodeAddress& node,
                     const std::string& database) {
  // An empty file name would be libpq's default; what is below no folder cannot exist.
  constexpr std::string_view kNoFile = "/dev/null/none";
  const std::string& ca_file = cluster.tls_ca_file;
  return fmt::format(
      "host={} port={} user={} password={} dbname={} application_name='fairlead check' "
      "sslmode={} sslrootcert={} passfile={} sslcert={} sslcrl={} gssencmode=disable",
      quoted_value(node.host), node.port, quoted_value(cluster.monitor_user),
      quoted_value(cluster.monitor_password.text),
      quoted_value(database.empty() ? cluster.monitor_database : database),
      config::to_string(cluster.tls_mode), quoted_value(ca_file.empty() ? kNoFile : ca_file),
      kNoFile, kNoFile, kNoFile);
}

Result<NodeAnswer> ask_node(const config::Cluster& cluster, const config::NodeAddress& node) {
  // Longer than a probe's: here a slow answer is worth having.
  const auto deadline = deadline_of(std::max(cluster.probe_timeout, Duration(5'000'000)));
  auto connection = cluster::SqlConnection::open(conninfo(cluster, node), deadline);
  if (!connection) return std::unexpected(std::move(connection.error()));
  const auto rows = connection->query(kQuestion, deadline);
  if (!rows) return std::unexpected(rows.error());
  if (rows->rows.size() != 1 || rows->rows[0].size() != kColumns)
    return fail(ErrorCode::kProtocolViolation, "the node's answer is not as asked");
  const auto& row = rows->rows[0];
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
  return out;
}

Result<cluster::SqlConnection> connect_to_primary(const config::Cluster& cluster,
                                                  const std::string& database) {
  std::optional<cluster::SqlConnection> found;
  std::string refusals;
  for (const config::NodeAddress& node : cluster.nodes) {
    auto connection = cluster::SqlConnection::open(conninfo(cluster, node, database));
    if (!connection) {
      refusals += (refusals.empty() ? "" : "; ") + describe(connection.error());
      continue;
    }
    const auto in_recovery = connection->value("SELECT pg_is_in_recovery()");
    if (!in_recovery) return std::unexpected(in_recovery.error());
    if (*in_recovery == "t") continue;
    if (found)
      return fail(ErrorCode::kCannotConnectNow, "more than one node accepts writes", {},
                  "fairlead check tells more");
    found = std::move(*connection);
  }
  if (!found)
    return fail(ErrorCode::kConnectionFailure, "no node that answers is a primary", refusals,
                "fairlead check tells more");
  return std::move(*found);
}

}  // namespace fairlead::app
