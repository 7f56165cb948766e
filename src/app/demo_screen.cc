#include "app/demo_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "app/proxy_report.h"
#include "app/text_table.h"

namespace fairlead::app {

namespace {

/// Reasons that stand for a proven read which the primary answered after all.
constexpr std::array<std::string_view, 5> kReadReasons{"read", "own_write", "no_replica",
                                                       "catalog_loading", "replica_error_retry"};

double per_second(uint64_t before, uint64_t now, Duration between) {
  return between.count() <= 0 || now < before
             ? 0
             : static_cast<double>(now - before) / in_seconds(between);
}

const proxy::NodeStats* find(const proxy::Stats& stats, const std::string& name) {
  const auto found = std::ranges::find(stats.nodes, name, &proxy::NodeStats::name);
  return found == stats.nodes.end() ? nullptr : &*found;
}

double node_rate(const DemoFrame& frame, const proxy::NodeStats& node) {
  const proxy::NodeStats* before = find(frame.before, node.name);
  return per_second(before == nullptr ? 0 : before->statements_total, node.statements_total,
                    frame.between);
}

std::string lag_text(const proxy::NodeStats& node) {
  if (node.role != "replica" || node.state != "up") return "-";
  return fmt::format("{}, {}", short_time(node.lag), short_size(node.lag_bytes));
}

TextTable node_table(const DemoFrame& frame) {
  TextTable table({"node", "role", "state", "stmts/s", "total", "lag", "servers", "note"});
  for (const proxy::NodeStats& node : frame.now.nodes)
    table.add({node.name, node.role, node.state, fmt::format("{:.0f}", node_rate(frame, node)),
               std::to_string(node.statements_total), lag_text(node),
               fmt::format("{} busy, {} idle", node.servers_in_use, node.servers_idle),
               node.role == "primary" ? "" : node.reason});
  return table;
}

TextTable route_table(const proxy::Stats& stats) {
  TextTable table({"reason", "to primary", "to replicas"});
  for (const proxy::ReasonCount& route : stats.routes)
    table.add({std::string(route.reason), std::to_string(route.to_primary),
               std::to_string(route.to_replica)});
  return table;
}

boost::json::object totals_json(const DemoFrame& frame) {
  return {{"seconds", in_seconds(frame.elapsed)},
          {"statements", frame.now.statements_total},
          {"reads", frame.totals.reads},
          {"writes", frame.totals.writes},
          {"errors", frame.totals.errors},
          {"retries", frame.now.retries_total},
          {"reads_on_replicas_percent", read_share(frame.now).percent()},
          {"own_posts_read_back", frame.totals.posts_read_back},
          {"own_posts_missing", frame.totals.posts_missing}};
}

}  // namespace

double ReadShare::percent() const {
  const uint64_t all = on_replicas + on_primary;
  return all == 0 ? 0 : 100.0 * static_cast<double>(on_replicas) / static_cast<double>(all);
}

ReadShare read_share(const proxy::Stats& stats) {
  ReadShare share;
  for (const proxy::ReasonCount& route : stats.routes) {
    share.on_replicas += route.to_replica;
    if (std::ranges::find(kReadReasons, route.reason) != kReadReasons.end())
      share.on_primary += route.to_primary;
  }
  return share;
}

std::vector<std::string> frame_lines(const DemoFrame& frame, const Style& style) {
  const double rate =
      per_second(frame.before.statements_total, frame.now.statements_total, frame.between);
  const std::string errors = fmt::format("{} errors", frame.totals.errors);
  std::vector<std::string> out{fmt::format(
      "{:.0f} s   {:.0f} statements/s   {} clients   {:.1f} % of reads on replicas   {}",
      in_seconds(frame.elapsed), rate, frame.now.clients, read_share(frame.now).percent(),
      frame.totals.errors == 0 ? errors : style.red(errors))};
  out.emplace_back();
  const auto nodes = node_table(frame).lines();
  for (size_t i = 0; i < nodes.size(); ++i) {
    const bool down = i > 0 && frame.now.nodes[i - 1].state != "up";
    out.push_back(i == 0 ? style.bold(nodes[i]) : down ? style.red(nodes[i]) : nodes[i]);
  }
  if (!frame.now.routes.empty()) {
    out.emplace_back();
    const auto routes = route_table(frame.now).lines();
    for (size_t i = 0; i < routes.size(); ++i)
      out.push_back(i == 0 ? style.bold(routes[i]) : routes[i]);
  }
  if (!frame.totals.last_error.empty())
    out.push_back(style.red("last error: ") + frame.totals.last_error);
  return out;
}

std::string frame_line(const DemoFrame& frame) {
  std::string out = fmt::format("{:>4.0f} s", in_seconds(frame.elapsed));
  for (const proxy::NodeStats& node : frame.now.nodes) {
    out += fmt::format("  {} {} {:.0f}/s", node.role, node.name, node_rate(frame, node));
    if (node.state != "up")
      out += " " + node.state;
    else if (node.role == "replica")
      out += " lag " + short_time(node.lag);
  }
  return out + fmt::format("  {:.1f} % of reads on replicas  {} errors\n",
                           read_share(frame.now).percent(), frame.totals.errors);
}

std::string frame_json(const DemoFrame& frame) {
  boost::json::array nodes;
  for (const proxy::NodeStats& node : frame.now.nodes)
    nodes.push_back({{"node", node.name},
                     {"role", node.role},
                     {"state", node.state},
                     {"statements", node.statements_total},
                     {"lag_us", node.lag.count()},
                     {"lag_bytes", node.lag_bytes},
                     {"servers_in_use", node.servers_in_use},
                     {"servers_idle", node.servers_idle},
                     {"reason", node.reason}});
  boost::json::array routes;
  for (const proxy::ReasonCount& route : frame.now.routes)
    routes.push_back({{"reason", route.reason},
                      {"to_primary", route.to_primary},
                      {"to_replica", route.to_replica}});
  boost::json::object out = totals_json(frame);
  out["event"] = "second";
  out["nodes"] = std::move(nodes);
  out["routes"] = std::move(routes);
  return boost::json::serialize(out) + "\n";
}

std::string summary_text(const DemoFrame& frame) {
  const WorkloadTotals& totals = frame.totals;
  std::string out = fmt::format(
      "{:.0f} s: {} statements, {:.1f} % of reads on replicas; workload: {} reads, {} writes, {} "
      "errors\n",
      in_seconds(frame.elapsed), frame.now.statements_total, read_share(frame.now).percent(),
      totals.reads, totals.writes, totals.errors);
  const uint64_t posts = totals.posts_read_back + totals.posts_missing;
  if (posts > 0)
    out += fmt::format("own writes: {} of {} new posts were there for the next read\n",
                       totals.posts_read_back, posts);
  if (!totals.last_error.empty()) out += fmt::format("last error: {}\n", totals.last_error);
  return out;
}

std::string summary_json(const DemoFrame& frame) {
  boost::json::object out = totals_json(frame);
  out["event"] = "summary";
  return boost::json::serialize(out) + "\n";
}

std::string cut_line(std::string_view line, size_t columns) {
  std::string out;
  size_t used = 0;
  bool in_escape = false;
  bool coloured = false;
  for (const char c : line) {
    if (c == '\x1b') in_escape = coloured = true;
    const bool visible = !in_escape;
    if (in_escape && c == 'm') in_escape = false;
    if (visible && used == columns) continue;
    used += visible ? 1 : 0;
    out.push_back(c);
  }
  return coloured && used == columns ? out + "\x1b[0m" : out;
}

void Redraw::show(const std::vector<std::string>& lines) {
  const ScreenSize size = screen_size();
  // What does not fit is left out: a line that wraps or scrolls could not be drawn over.
  const size_t count = std::min(lines.size(), size.lines > 1 ? size.lines - 1 : 1);
  std::string out = shown_ > 0 ? fmt::format("\x1b[{}A\r\x1b[J", shown_) : "";
  for (size_t i = 0; i < count; ++i) out += cut_line(lines[i], size.columns) + "\n";
  shown_ = count;
  print(out);
}

}  // namespace fairlead::app
