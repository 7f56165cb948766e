// Status rows as a table and as JSON.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "cluster/status.h"

namespace fairlead::cluster {

namespace {

constexpr size_t kColumns = 9;
using Line = std::array<std::string, kColumns>;

std::string lsn_text(const std::optional<Lsn>& lsn) { return lsn ? lsn->to_string() : "-"; }

Line line_of(const StatusRow& row) {
  return {row.name,
          std::string(to_string(row.role)),
          row.state,
          row.host,
          std::to_string(row.port),
          row.timeline == 0 ? "-" : std::to_string(row.timeline),
          lsn_text(row.receive_lsn),
          lsn_text(row.replay_lsn),
          row.lag_bytes ? std::to_string(*row.lag_bytes) : "-"};
}

boost::json::value lsn_json(const std::optional<Lsn>& lsn) {
  return lsn ? boost::json::value(lsn->to_string()) : boost::json::value();
}

}  // namespace

std::string render_status(const std::vector<StatusRow>& rows) {
  std::vector<Line> lines = {
      {"name", "role", "state", "host", "port", "timeline", "received", "replayed", "lag"}};
  for (const StatusRow& row : rows) lines.push_back(line_of(row));
  std::array<size_t, kColumns> widths{};
  for (const Line& line : lines)
    for (size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], line[i].size());
  std::string out;
  for (const Line& line : lines) {
    std::string text;
    for (size_t i = 0; i < kColumns; ++i) text += fmt::format("{:<{}}", line[i], widths[i] + 2);
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

std::string status_json(const std::vector<StatusRow>& rows) {
  boost::json::array out;
  for (const StatusRow& row : rows)
    out.push_back(
        {{"name", row.name},
         {"role", to_string(row.role)},
         {"state", row.state},
         {"host", row.host},
         {"port", row.port},
         {"timeline", row.timeline == 0 ? boost::json::value() : boost::json::value(row.timeline)},
         {"receive_lsn", lsn_json(row.receive_lsn)},
         {"replay_lsn", lsn_json(row.replay_lsn)},
         {"lag_bytes", row.lag_bytes ? boost::json::value(*row.lag_bytes) : boost::json::value()}});
  return boost::json::serialize(out);
}

}  // namespace fairlead::cluster
