#include "app/observe_report.h"

#include <fmt/format.h>

#include "app/console_json.h"
#include "app/proxy_report.h"

namespace fairlead::app {

namespace {

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

/// "12 of 40 reads could move to replicas at once (30.0 %)".
std::string totals_text(const ConsoleTable& table, size_t i) {
  const auto seen = std::chrono::duration<double>(table.real(i, "since_s"));
  std::string out = fmt::format(
      "{}: {} statements in {}\n"
      "  {} of {} reads could move to replicas at once ({}); of all statements {} ({})\n",
      table.text(i, "database"), table.number(i, "statements"),
      short_time(std::chrono::duration_cast<Duration>(seen)), table.number(i, "reads_moving"),
      table.number(i, "reads"), percent(table.real(i, "reads_share")),
      table.number(i, "statements_moving"), percent(table.real(i, "statements_share")));
  const auto line = [&](std::string_view column, std::string_view meaning) {
    if (const int64_t count = table.number(i, column); count > 0)
      out += fmt::format("  {} {}\n", count, meaning);
  };
  line("waits", "would have waited for a replica to see a commit, up to freshness_wait");
  line("no_replica", "would have moved, but no replica was up and within max_lag");
  line("fails", "would have failed: the node or the position that they name cannot serve them");
  if (const int64_t all = table.number(i, "transactions"); all > 0) {
    out += fmt::format(
        "  {} transactions: {} could begin on a replica; {} others only read, which READ ONLY "
        "or transaction_reads would move\n",
        all, table.number(i, "transactions_moving"), table.number(i, "transactions_only_reading"));
  }
  return out;
}

/// Reads that stay; writes belong where they are.
bool is_of_interest(const ConsoleTable& shapes, size_t i) {
  return shapes.text(i, "read") == "yes" && shapes.text(i, "outcome") != "moves";
}

std::string shapes_text(const ConsoleTable& shapes, const std::string& database, size_t most) {
  std::string out;
  size_t shown = 0;
  size_t left_out = 0;
  for (size_t i = 0; i < shapes.rows.size(); ++i) {
    if (shapes.text(i, "database") != database || !is_of_interest(shapes, i)) continue;
    if (shown == most) {
      ++left_out;
      continue;
    }
    ++shown;
    out += fmt::format("  {:>8}  {}  {}\n            {}\n            change: {}\n",
                       shapes.number(i, "count"), shapes.text(i, "outcome"),
                       shapes.text(i, "reason"), shapes.text(i, "shape"), shapes.text(i, "change"));
  }
  if (shown == 0) return "";
  if (left_out > 0) out += fmt::format("  and {} more: --shapes shows them\n", left_out);
  return "  reads that stay, the most frequent first:\n" + out;
}

}  // namespace

std::string observe_text(const ConsoleTable& databases, const ConsoleTable& shapes,
                         size_t shapes_max) {
  if (databases.rows.empty()) {
    return "Nothing was observed: no database has mode = \"observe\", or no statement has come "
           "since the start.\n";
  }
  std::string out;
  for (size_t i = 0; i < databases.rows.size(); ++i) {
    if (i > 0) out += "\n";
    out += totals_text(databases, i);
    out += shapes_text(shapes, databases.text(i, "database"), shapes_max);
  }
  return out;
}

std::string observe_json(const ConsoleTable& databases, const ConsoleTable& shapes) {
  boost::json::array all;
  for (size_t i = 0; i < databases.rows.size(); ++i) {
    boost::json::object database = row_json(databases, i);
    boost::json::array its;
    for (size_t j = 0; j < shapes.rows.size(); ++j) {
      if (shapes.text(j, "database") != databases.text(i, "database")) continue;
      boost::json::object shape = row_json(shapes, j);
      shape.erase("database");
      its.push_back(std::move(shape));
    }
    database["shapes"] = std::move(its);
    all.push_back(std::move(database));
  }
  return boost::json::serialize(boost::json::object{{"databases", std::move(all)}}) + "\n";
}

}  // namespace fairlead::app
