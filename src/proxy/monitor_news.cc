#include "proxy/monitor_news.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::proxy {
namespace {

using core::ClusterSnapshot;
using core::NodeRole;
using core::NodeState;
using core::NodeStatus;
using log::Level;

const NodeStatus* find(const ClusterSnapshot* snapshot, const std::string& name) {
  if (snapshot == nullptr) return nullptr;
  const auto found = std::ranges::find(snapshot->nodes, name, &NodeStatus::name);
  return found == snapshot->nodes.end() ? nullptr : &*found;
}

bool is_same(const NodeStatus& a, const NodeStatus& b) {
  return a.state == b.state && a.role == b.role && a.usable_for_reads == b.usable_for_reads;
}

NewsLine line_of(const NodeStatus& node) {
  const bool is_bad = node.state == NodeState::kDown || node.role == NodeRole::kRefused;
  std::string text = fmt::format("node {} is {}", node.name, to_string(node.state));
  if (node.role != NodeRole::kUnknown) text += fmt::format(", {}", to_string(node.role));
  if (node.timeline != 0) text += fmt::format(" on timeline {}", node.timeline);
  if (!node.reason.empty()) text += fmt::format(", not used for reads: {}", node.reason);
  return {is_bad ? Level::kWarning : Level::kInfo, std::move(text)};
}

std::string_view primary_name(const ClusterSnapshot* snapshot) {
  if (snapshot == nullptr || !snapshot->primary) return {};
  return snapshot->node(*snapshot->primary).name;
}

void add_primary(std::vector<NewsLine>& news, const ClusterSnapshot* before,
                 const ClusterSnapshot& after) {
  const std::string_view was = primary_name(before);
  const std::string_view is = primary_name(&after);
  const uint64_t epoch_before = before == nullptr ? 0 : before->epoch;
  if (was == is && epoch_before == after.epoch) return;
  if (!is.empty())
    news.push_back({Level::kInfo, fmt::format("{} is the primary, timeline {}, epoch {}", is,
                                              after.timeline, after.epoch)});
  else
    news.push_back(
        {Level::kWarning, fmt::format("there is no primary any more, it was {}, epoch {}",
                                      was.empty() ? "nobody" : was, after.epoch)});
}

}  // namespace

std::vector<NewsLine> news_between(const ClusterSnapshot* before, const ClusterSnapshot& after) {
  std::vector<NewsLine> news;
  for (const NodeStatus& node : after.nodes) {
    const NodeStatus* was = find(before, node.name);
    if (was == nullptr || !is_same(*was, node)) news.push_back(line_of(node));
  }
  add_primary(news, before, after);
  const std::string alarm_before = before == nullptr ? std::string{} : before->alarm;
  if (alarm_before != after.alarm) {
    if (after.alarm.empty())
      news.push_back({Level::kInfo, "the alarm is over: " + alarm_before});
    else
      news.push_back({Level::kError, "alarm: " + after.alarm});
  }
  return news;
}

}  // namespace fairlead::proxy
