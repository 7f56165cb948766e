#include "app/cluster_report.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/own_name.h"

namespace fairlead::app {

std::string cluster_text(const cluster::Cluster& cluster) {
  std::string out;
  for (const cluster::Node& node : cluster.nodes)
    out += fmt::format("{}  {:<7}  {}\n", node.name, to_string(node.role),
                       cluster.as_application(node).url());
  return out;
}

std::string cluster_json(const cluster::Cluster& cluster) {
  boost::json::array nodes;
  for (const cluster::Node& node : cluster.nodes)
    nodes.push_back({{"name", node.name},
                     {"role", to_string(node.role)},
                     {"host", node.host},
                     {"port", node.port},
                     {"data_dir", node.data_dir},
                     {"log_file", node.log_file},
                     {"url", cluster.as_application(node).url()}});
  return boost::json::serialize(boost::json::object{{"dir", cluster.state.spec.dir},
                                                    {"database", cluster.state.spec.database},
                                                    {"nodes", std::move(nodes)}}) +
         "\n";
}

std::string plan_json(std::string_view plan) {
  boost::json::array lines;
  while (!plan.empty()) {
    const size_t end = plan.find('\n');
    lines.emplace_back(plan.substr(0, end));
    plan.remove_prefix(end == std::string_view::npos ? plan.size() : end + 1);
  }
  return boost::json::serialize(boost::json::object{{"plan", std::move(lines)}}) + "\n";
}

std::string next_step_after_create(const cluster::Cluster& cluster) {
  std::string out = fmt::format("next: {} up", own_name());
  for (const cluster::Node& node : cluster.nodes)
    out +=
        fmt::format(" \\\n  --{} '{}'", to_string(node.role), cluster.as_application(node).url());
  return out;
}

}  // namespace fairlead::app
