#include "app/cluster_status_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/proxy_report.h"
#include "app/text_table.h"

namespace fairlead::app {

namespace {

constexpr std::string_view kUnknown = "-";

std::string address(const cluster::StatusRow& row) {
  return fmt::format(fmt::runtime(row.host.contains(':') ? "[{}]:{}" : "{}:{}"), row.host,
                     row.port);
}

/// Patroni's words, which the field's people and tools know.
std::string_view role_text(const cluster::StatusRow& row) {
  if (row.role == cluster::Role::kPrimary) return "Leader";
  if (row.sync_state == "sync") return "Sync Standby";
  if (row.sync_state == "quorum") return "Quorum Standby";
  return "Replica";
}

std::string lsn_text(const std::optional<Lsn>& lsn) {
  return lsn ? lsn->to_string() : std::string(kUnknown);
}

std::string size_text(const std::optional<uint64_t>& bytes) {
  return bytes ? short_size(*bytes) : std::string(kUnknown);
}

template <class T>
boost::json::value or_null(const std::optional<T>& value) {
  return value ? boost::json::value(*value) : boost::json::value();
}

boost::json::value lsn_json(const std::optional<Lsn>& lsn) {
  return lsn ? boost::json::value(lsn->to_string()) : boost::json::value();
}

boost::json::value text_json(const std::string& text) {
  return text.empty() ? boost::json::value() : boost::json::value(text);
}

}  // namespace

std::string status_title(std::string_view cluster, const std::vector<cluster::StatusRow>& rows) {
  const cluster::StatusRow* primary = cluster::primary_of(rows);
  const auto known = primary != nullptr ? rows.begin() + (primary - rows.data())
                                        : std::ranges::find_if(rows, &cluster::StatusRow::answers);
  return known == rows.end() ? fmt::format("Cluster: {}", cluster)
                             : fmt::format("Cluster: {} ({})", cluster, known->system_identifier);
}

const std::vector<std::string>& status_headings() {
  static const std::vector<std::string> headings = {
      "Member",      "Host",        "Role",       "State",      "TL",
      "Receive LSN", "Receive Lag", "Replay LSN", "Replay Lag", "Time Lag"};
  return headings;
}

std::vector<std::string> status_cells(const cluster::StatusRow& row) {
  return {row.name,
          address(row),
          std::string(role_text(row)),
          row.state,
          row.timeline == 0 ? std::string(kUnknown) : std::to_string(row.timeline),
          lsn_text(row.receive_lsn),
          size_text(row.receive_lag_bytes),
          lsn_text(row.replay_lsn),
          size_text(row.lag_bytes),
          row.lag_time ? short_time(*row.lag_time) : std::string(kUnknown)};
}

std::string status_text(std::string_view cluster, const std::vector<cluster::StatusRow>& rows) {
  TextTable table(status_headings());
  for (const cluster::StatusRow& row : rows) table.add(status_cells(row));
  return status_title(cluster, rows) + "\n" + table.text();
}

boost::json::object status_object(std::string_view cluster, const cluster::StatusRow& row) {
  return {{"cluster", cluster},
          {"system_identifier", text_json(row.system_identifier)},
          {"name", row.name},
          {"role", to_string(row.role)},
          {"state", row.state},
          {"sync_state", text_json(row.sync_state)},
          {"host", row.host},
          {"port", row.port},
          {"timeline", row.timeline == 0 ? boost::json::value() : boost::json::value(row.timeline)},
          {"receive_lsn", lsn_json(row.receive_lsn)},
          {"receive_lag_bytes", or_null(row.receive_lag_bytes)},
          {"replay_lsn", lsn_json(row.replay_lsn)},
          {"lag_bytes", or_null(row.lag_bytes)},
          {"lag_ms",
           row.lag_time ? boost::json::value(row.lag_time->count() / 1000) : boost::json::value()}};
}

std::string status_json(std::string_view cluster, const std::vector<cluster::StatusRow>& rows) {
  boost::json::array out;
  for (const cluster::StatusRow& row : rows) out.push_back(status_object(cluster, row));
  return boost::json::serialize(out);
}

}  // namespace fairlead::app
