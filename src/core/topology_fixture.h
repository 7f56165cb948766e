// For tests only: a cluster whose nodes answer what the test says.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/topology.h"

namespace fairlead::core {

using std::chrono::seconds;
using ::testing::HasSubstr;

inline constexpr uint64_t kOurs = 7'000'001;
inline constexpr uint64_t kOthers = 9'000'009;

/// A few nodes whose answers a test writes by hand. Every look() takes one second and renews the
/// answers of the nodes that are not down.
class ScriptedCluster {
 public:
  explicit ScriptedCluster(TopologyConfig config = {}) : topology_(config) {}

  struct Node {
    NodeObservation answer;
    NodeState state = NodeState::kUp;
    std::string health;
    ManagerWord manager = ManagerWord::kNone;
    std::string kept_from_reads = {};
    bool gone = false;
    bool has_answered = true;
    bool answers = true;  // False: the last answer grows old.
  };

  Node& primary(const std::string& name, uint32_t timeline, uint64_t flushed = 1000) {
    Node& node = nodes_[name];
    node.state = NodeState::kUp;
    node.answer.in_recovery = false;
    node.answer.timeline = timeline;
    node.answer.system_identifier = kOurs;
    node.answer.flush_lsn = node.answer.insert_lsn = Lsn{flushed};
    if (node.answer.postmaster_started_us == 0) restart(name);
    return node;
  }
  Node& replica(const std::string& name, uint32_t timeline, uint64_t replayed = 1000) {
    Node& node = primary(name, timeline, 0);
    node.answer.in_recovery = true;
    node.answer.replay_lsn = node.answer.receive_lsn = Lsn{replayed};
    return node;
  }
  void restart(const std::string& name) {
    nodes_[name].answer.postmaster_started_us = ++postmasters_;
  }
  void down(const std::string& name, std::string why = "connection refused") {
    nodes_[name].state = NodeState::kDown;
    nodes_[name].health = std::move(why);
  }
  Node& node(const std::string& name) { return nodes_[name]; }
  void remove(const std::string& name) { nodes_.erase(name); }

  ClusterSnapshot look() {
    now_ += std::chrono::seconds(1);
    std::vector<NodeView> views;
    for (auto& [name, node] : nodes_) {
      if (node.state != NodeState::kDown && node.answers) {
        node.answer.observed_started_at = now_ - Duration(2000);
        node.answer.observed_at = now_ - Duration(1000);
      }
      views.push_back({.name = name,
                       .state = node.state,
                       .health_reason = node.health,
                       .last = node.has_answered ? &node.answer : nullptr,
                       .manager = node.manager,
                       .kept_from_reads = node.kept_from_reads,
                       .gone = node.gone});
    }
    return topology_.decide(views, now_);
  }

 private:
  Topology topology_;
  std::map<std::string, Node> nodes_;  // In the order of their names.
  Time now_{std::chrono::seconds(1000)};
  int64_t postmasters_ = 0;
};

inline std::string primary_of(const ClusterSnapshot& snapshot) {
  return snapshot.primary ? snapshot.node(*snapshot.primary).name : "none";
}
inline const NodeStatus& status(const ClusterSnapshot& snapshot, std::string_view name) {
  for (const NodeStatus& node : snapshot.nodes)
    if (node.name == name) return node;
  static const NodeStatus kMissing;
  ADD_FAILURE() << "no node " << name;
  return kMissing;
}

}  // namespace fairlead::core
