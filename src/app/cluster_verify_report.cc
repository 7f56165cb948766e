#include "app/cluster_verify_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "app/cluster_status_report.h"
#include "app/proxy_report.h"
#include "app/text_table.h"

namespace fairlead::app {

namespace {

using cluster::Difference;
using cluster::NodeVerdict;
using Kind = NodeVerdict::Kind;

std::string data_text(const NodeVerdict& node) {
  if (!node.why.empty() || node.differences.empty()) return std::string(to_string(node.kind));
  return fmt::format("{} in {} table{}", to_string(node.kind), node.differences.size(),
                     node.differences.size() == 1 ? "" : "s");
}

std::string details(const NodeVerdict& node) {
  std::string out;
  if (!node.why.empty()) out += fmt::format("{}: {}\n", node.status.name, node.why);
  for (size_t i = 0; i < std::min(node.differences.size(), kDifferencesListed); ++i)
    out += fmt::format("{}: {}\n", node.status.name, describe(node.differences[i]));
  if (node.differences.size() > kDifferencesListed)
    out += fmt::format("{}: and {} more\n", node.status.name,
                       node.differences.size() - kDifferencesListed);
  return out;
}

std::string sentence(const cluster::Verification& found) {
  const std::string what =
      fmt::format("{} tables of {} databases, {} rows", found.tables, found.databases, found.rows);
  switch (found.kind()) {
    case Kind::kEqual:
      return fmt::format("Equal on every node: {}.\n", what);
    case Kind::kDiffers:
      return fmt::format("Not equal. Compared were {}.\n", what);
    case Kind::kUndecided:
      return fmt::format("Nothing differs, but not everything could be compared: {}.\n", what);
    case Kind::kUnreachable:
      return fmt::format("Equal on every node that answers: {}.\n", what);
  }
  return {};
}

boost::json::value number_json(const std::optional<uint64_t>& number) {
  return number ? boost::json::value(*number) : boost::json::value();
}

boost::json::object difference_object(const Difference& difference) {
  return {{"database", difference.database},
          {"schema", difference.table.schema},
          {"table", difference.table.name},
          {"what", to_string(difference.what)},
          {"primary_rows", number_json(difference.primary_rows)},
          {"rows", number_json(difference.rows)},
          {"detail", difference.detail}};
}

boost::json::object node_object(std::string_view name, const NodeVerdict& node) {
  boost::json::array differences;
  for (const Difference& difference : node.differences)
    differences.push_back(difference_object(difference));
  boost::json::object out = status_object(name, node.status);
  out["verdict"] = to_string(node.kind);
  out["why"] = node.why.empty() ? boost::json::value() : boost::json::value(node.why);
  out["write_seen_ms"] =
      node.write_seen_after
          ? boost::json::value(static_cast<double>(node.write_seen_after->count()) / 1000)
          : boost::json::value();
  out["differences"] = std::move(differences);
  return out;
}

}  // namespace

std::string verify_text(std::string_view cluster, const cluster::Verification& found) {
  std::vector<std::string> headings = status_headings();
  headings.insert(headings.end(), {"Write Seen", "Data"});
  TextTable table(headings);
  std::vector<cluster::StatusRow> rows;
  std::string more;
  for (const NodeVerdict& node : found.nodes) {
    std::vector<std::string> cells = status_cells(node.status);
    cells.push_back(node.write_seen_after ? short_time(*node.write_seen_after) : "-");
    cells.push_back(data_text(node));
    table.add(std::move(cells));
    rows.push_back(node.status);
    more += details(node);
  }
  return status_title(cluster, rows) + "\n" + table.text() + more + sentence(found);
}

std::string verify_json(std::string_view cluster, const cluster::Verification& found) {
  boost::json::array nodes;
  for (const NodeVerdict& node : found.nodes) nodes.push_back(node_object(cluster, node));
  return boost::json::serialize(boost::json::object{{"cluster", cluster},
                                                    {"verdict", to_string(found.kind())},
                                                    {"databases", found.databases},
                                                    {"tables", found.tables},
                                                    {"rows", found.rows},
                                                    {"nodes", std::move(nodes)}}) +
         "\n";
}

}  // namespace fairlead::app
