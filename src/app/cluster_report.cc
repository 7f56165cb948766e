#include "app/cluster_report.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/own_name.h"
#include "app/proxy_report.h"
#include "cluster/layout.h"
#include "cluster/tool_commands.h"

namespace fairlead::app {

std::string cluster_text(const cluster::Cluster& cluster) {
  std::string out;
  for (const cluster::Node& node : cluster.nodes)
    out += fmt::format("{}  {:<7}  {}\n", node.name, to_string(node.role),
                       cluster.as_application(node).url());
  return out;
}

boost::json::object cluster_object(const cluster::Cluster& cluster) {
  boost::json::array nodes;
  for (const cluster::Node& node : cluster.nodes)
    nodes.push_back({{"name", node.name},
                     {"role", to_string(node.role)},
                     {"host", node.host},
                     {"port", node.port},
                     {"data_dir", node.data_dir},
                     {"log_file", node.log_file},
                     {"url", cluster.as_application(node).url()}});
  return {{"dir", cluster.state.spec.dir},
          {"database", cluster.state.spec.database},
          {"nodes", std::move(nodes)}};
}

std::string cluster_json(const cluster::Cluster& cluster) {
  return boost::json::serialize(cluster_object(cluster)) + "\n";
}

namespace {

std::string followers_text(const std::vector<std::string>& followers,
                           const std::vector<std::string>& need_rejoin, const std::string& dir) {
  std::string out;
  for (const std::string& node : followers) out += fmt::format("{} follows it\n", node);
  for (const std::string& node : need_rejoin)
    out += fmt::format("{0} needs a rejoin: fairlead cluster rejoin --dir {1} {0}\n", node, dir);
  return out;
}

boost::json::array names_json(const std::vector<std::string>& nodes) {
  return boost::json::array(nodes.begin(), nodes.end());
}

}  // namespace

std::string promotion_text(const cluster::Promotion& done, const std::string& dir) {
  std::string out =
      fmt::format("{} is the primary now\n{}: {}\n", done.node,
                  done.nothing_lost ? "nothing is lost" : "commits may be lost", done.reason);
  out += followers_text(done.followers, done.need_rejoin, dir);
  if (done.commits_wait)
    out +=
        "commits wait until enough replicas follow it: rejoin one, or change the rule with "
        "fairlead cluster sync\n";
  return out;
}

std::string switchover_text(const cluster::Switchover& done, const std::string& dir) {
  return fmt::format("{} is the primary now, nothing is lost; no server took writes for {}\n{}",
                     done.node, short_time(done.pause),
                     followers_text(done.followers, done.need_rejoin, dir));
}

std::string switchover_json(const cluster::Switchover& done) {
  const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(done.pause);
  return boost::json::serialize(
             boost::json::object{{"primary", done.node},
                                 {"old_primary", done.old_primary},
                                 {"pause_ms", pause.count()},
                                 {"followers", names_json(done.followers)},
                                 {"need_rejoin", names_json(done.need_rejoin)}}) +
         "\n";
}

std::string promotion_json(const cluster::Promotion& done) {
  return boost::json::serialize(boost::json::object{{"primary", done.node},
                                                    {"old_primary", done.old_primary},
                                                    {"nothing_lost", done.nothing_lost},
                                                    {"reason", done.reason},
                                                    {"followers", names_json(done.followers)},
                                                    {"need_rejoin", names_json(done.need_rejoin)},
                                                    {"commits_wait", done.commits_wait}}) +
         "\n";
}

std::string rejoin_text(const cluster::Rejoin& done) {
  using Method = cluster::Rejoin::Method;
  if (done.method == Method::kNone)
    return fmt::format("{} streams from {} already: nothing to do\n", done.node, done.primary);
  return fmt::format(
      "{} follows {} again, {}\n", done.node, done.primary,
      done.method == Method::kRewind ? "by pg_rewind" : "as a new copy: " + done.reason);
}

std::string rejoin_json(const cluster::Rejoin& done) {
  using Method = cluster::Rejoin::Method;
  boost::json::value method;
  if (done.method == Method::kRewind) method = "rewind";
  if (done.method == Method::kCopy) method = "copy";
  return boost::json::serialize(boost::json::object{{"node", done.node},
                                                    {"primary", done.primary},
                                                    {"method", method},
                                                    {"reason", done.reason}}) +
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

std::string folder_json(std::string_view what, const std::string& dir) {
  return boost::json::serialize(boost::json::object{{what, dir}}) + "\n";
}

std::string next_step_after_create(const cluster::Cluster& cluster) {
  const cluster::Layout layout(cluster.state.spec.dir);
  return "next: " + cluster::printable({own_name(), "up", "-c", layout.config_file()});
}

std::string next_step_after_change(const cluster::Cluster& cluster, bool is_renewed,
                                   std::string_view otherwise) {
  if (!is_renewed) return fmt::format("next: {}", otherwise);
  return fmt::format("next: SIGHUP to fairlead up, if it runs with {}, where nodes is renewed",
                     cluster::Layout(cluster.state.spec.dir).config_file());
}

}  // namespace fairlead::app
