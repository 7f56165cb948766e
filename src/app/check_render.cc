#include "app/check_render.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "app/proxy_report.h"
#include "app/text_table.h"

namespace fairlead::app {

namespace {

std::string_view role_of(const NodeAnswer& answer) {
  return answer.in_recovery ? "replica" : "primary";
}

boost::json::object node_json(const NodeReport& node, const CheckReport& report) {
  boost::json::object out{
      {"cluster", node.cluster}, {"node", node.address}, {"reachable", node.answer.has_value()}};
  if (!node.answer) {
    out["error"] = describe(node.answer.error());
    return out;
  }
  const auto lag = lag_of(node, report.nodes);
  out["role"] = role_of(*node.answer);
  out["version"] = node.answer->version;
  out["timeline"] = node.answer->timeline;
  out["position"] = node.answer->position.to_string();
  out["lag_bytes"] = lag ? boost::json::value(*lag) : boost::json::value();
  out["connections"] = node.answer->connections_taken;
  out["connections_max"] = node.answer->connections_max;
  return out;
}

std::string_view word(Finding::Severity severity) {
  return severity == Finding::Severity::kProblem ? "problem" : "warning";
}

}  // namespace

std::string nodes_text(const CheckReport& report) {
  TextTable table({"cluster", "node", "role", "version", "timeline", "lag", "connections"});
  for (const NodeReport& node : report.nodes) {
    if (!node.answer) {
      table.add({node.cluster, node.address, "unreachable", "-", "-", "-", "-"});
      continue;
    }
    const auto lag = lag_of(node, report.nodes);
    table.add(
        {node.cluster, node.address, std::string(role_of(*node.answer)), node.answer->version,
         std::to_string(node.answer->timeline), lag ? short_size(*lag) : "-",
         fmt::format("{} of {}", node.answer->connections_taken, node.answer->connections_max)});
  }
  return table.text();
}

std::string findings_text(const CheckReport& report, const Style& style) {
  std::string out;
  size_t problems = 0;
  for (const Finding& finding : report.findings) {
    const bool is_problem = finding.severity == Finding::Severity::kProblem;
    problems += is_problem ? 1 : 0;
    const std::string mark = is_problem ? style.red("problem:") : style.yellow("warning:");
    out += fmt::format("{} {}: {}\n", mark, finding.where, finding.error.message);
    if (!finding.error.detail.empty()) out += fmt::format("  why:  {}\n", finding.error.detail);
    if (!finding.error.hint.empty()) out += fmt::format("  next: {}\n", finding.error.hint);
  }
  if (problems == 0) return out + style.green("everything is in order\n");
  return out + fmt::format("{} problem{}\n", problems, problems == 1 ? "" : "s");
}

std::string report_json(const CheckReport& report) {
  boost::json::array nodes;
  for (const NodeReport& node : report.nodes) nodes.push_back(node_json(node, report));
  boost::json::array findings;
  for (const Finding& finding : report.findings)
    findings.push_back({{"severity", word(finding.severity)},
                        {"where", finding.where},
                        {"message", finding.error.message},
                        {"cause", finding.error.detail},
                        {"next", finding.error.hint}});
  return boost::json::serialize(boost::json::object{{"ok", verdict(report) == ExitCode::kOk},
                                                    {"nodes", std::move(nodes)},
                                                    {"findings", std::move(findings)}}) +
         "\n";
}

}  // namespace fairlead::app
