// Random lives of a cluster seen by one Fairlead: promotions, crashes, partitions, old primaries
// that come back, second writers, late probes. The truth is kept beside it, and two promises are
// compared with it:
//   safety    no node is named primary that this Fairlead could know to be superseded;
//   liveness  when everything visible is in order, the primary is found.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "core/topology.h"
#include "pool_world.h"  // Dice

namespace fairlead::sim {
namespace {

using namespace fairlead::core;

struct Node {
  std::string name;
  bool is_reachable = true;
  NodeObservation truth;  // What it would answer now.
  NodeObservation last;   // What it answered last.
  bool has_answered = false;
};

class ClusterWorld {
 public:
  explicit ClusterWorld(uint64_t seed) : dice_(seed), nodes_(2 + dice_.below(3)) {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i].name = "node" + std::to_string(i);
      nodes_[i].truth = {.in_recovery = i != 0,
                         .timeline = 1,
                         .system_identifier = 7,
                         .flush_lsn = Lsn{1000},
                         .replay_lsn = Lsn{1000},
                         .postmaster_started_us = ++postmasters_,
                         .history = TimelineHistory{}};
    }
  }

  void step() {
    Node& node = nodes_[dice_.below(nodes_.size())];
    switch (dice_.below(10)) {
      case 0:
        node.is_reachable = !node.is_reachable;
        break;
      case 1:
        if (dice_.one_in(3)) promote(node);
        break;
      case 2:
        node.truth.postmaster_started_us = ++postmasters_;
        break;
      case 3:
        follow(node);
        break;
      case 4:  // Somebody removes standby.signal and starts it: a writer without a promotion.
        if (dice_.one_in(10)) start_standalone(node);
        break;
      case 5:  // The history file cannot be read.
        if (dice_.one_in(3)) node.truth.history.reset();
        break;
      default:
        write();
    }
    look();
  }

  uint64_t failovers() const { return failovers_; }
  uint64_t refusals() const { return refusals_; }

 private:
  void write() {
    for (Node& node : nodes_)
      if (!node.truth.in_recovery) node.truth.flush_lsn.value += 1 + dice_.below(100);
    for (Node& node : nodes_)
      if (node.truth.in_recovery && node.truth.timeline == nodes_[head_].truth.timeline)
        node.truth.replay_lsn = nodes_[head_].truth.flush_lsn;
  }

  void promote(Node& node) {
    if (!node.truth.in_recovery) return;
    TimelineHistory history = lineage_;
    if (node.truth.timeline != nodes_[head_].truth.timeline) return;
    history.ancestors.push_back({node.truth.timeline, node.truth.replay_lsn});
    node.truth.in_recovery = false;
    node.truth.timeline += 1;
    node.truth.flush_lsn = node.truth.replay_lsn;
    node.truth.history = lineage_ = history;
    head_ = static_cast<size_t>(&node - nodes_.data());
  }

  // Rewound or cloned anew: a replica of the head, in a new postmaster.
  void follow(Node& node) {
    if (&node == &nodes_[head_]) return;
    node.truth.in_recovery = true;
    node.truth.timeline = nodes_[head_].truth.timeline;
    node.truth.replay_lsn = nodes_[head_].truth.flush_lsn;
    node.truth.postmaster_started_us = ++postmasters_;
    node.truth.history = lineage_;
  }

  void start_standalone(Node& node) {
    if (!node.truth.in_recovery) return;
    node.truth.in_recovery = false;
    node.truth.flush_lsn = node.truth.replay_lsn;
    node.truth.postmaster_started_us = ++postmasters_;
  }

  void look() {
    now_ += std::chrono::milliseconds(500);
    std::vector<NodeView> views;
    for (Node& node : nodes_) {
      if (node.is_reachable) {
        node.last = node.truth;
        node.last.observed_started_at = now_ - Duration(200);
        node.last.observed_at = now_ - Duration(100);
        node.has_answered = true;
      }
      views.push_back({.name = node.name,
                       .state = node.is_reachable ? NodeState::kUp : NodeState::kDown,
                       .last = node.has_answered ? &node.last : nullptr});
    }
    check(topology_.decide(views, now_));
  }

  void check(const ClusterSnapshot& seen) {
    ASSERT_GE(seen.epoch, epoch_) << "the epoch never goes back";
    ASSERT_GE(seen.timeline, timeline_) << "nor does the timeline";
    bool is_new_epoch = seen.epoch != epoch_;
    epoch_ = seen.epoch;
    timeline_ = seen.timeline;
    if (is_new_epoch) epoch_owner_.clear();

    size_t writers = 0;
    uint32_t newest = 0;
    for (const Node& node : nodes_) {
      if (!node.is_reachable) continue;
      writers += !node.truth.in_recovery;
      newest = std::max(newest, node.truth.timeline);
    }
    if (seen.primary) {
      const Node& primary = nodes_[static_cast<size_t>(*seen.primary)];
      ASSERT_TRUE(primary.is_reachable && !primary.truth.in_recovery);
      ASSERT_EQ(primary.truth.timeline, newest) << "somebody visible is further";
      for (const Node& other : nodes_)
        ASSERT_FALSE(&other != &primary && other.is_reachable && !other.truth.in_recovery &&
                     other.truth.timeline == newest)
            << "two writers on one timeline";
      std::string owner = primary.name + "/" + std::to_string(primary.truth.timeline) + "/" +
                          std::to_string(primary.truth.postmaster_started_us);
      if (epoch_owner_.empty()) {
        epoch_owner_ = owner;
        ++failovers_;
      }
      ASSERT_EQ(epoch_owner_, owner) << "one epoch, one primary";
      if (timeline_owner_timeline_ == newest)
        ASSERT_EQ(timeline_owner_, primary.name) << "one timeline, one primary";
      timeline_owner_ = primary.name;
      timeline_owner_timeline_ = newest;
    } else {
      ASSERT_FALSE(seen.alarm.empty()) << "without a primary there is a reason";
      refusals_ += writers > 0;
    }
    // The head alone, with nobody who disputes it and nobody wrongly believed before.
    const Node& head = nodes_[head_];
    bool is_plain = writers == 1 && head.is_reachable && head.truth.timeline == newest;
    bool was_misled = timeline_owner_timeline_ == newest && timeline_owner_ != head.name;
    bool is_provable = head.truth.history.has_value() || head.truth.timeline == 1;
    if (is_plain && !was_misled && is_provable) ASSERT_TRUE(seen.primary.has_value()) << seen.alarm;

    for (size_t i = 0; i < nodes_.size(); ++i) {
      const NodeStatus& status = seen.nodes[i];
      ASSERT_EQ(status.usable_for_reads, status.reason.empty());
      if (status.usable_for_reads) {
        ASSERT_TRUE(nodes_[i].is_reachable);
        if (seen.primary) ASSERT_EQ(status.timeline, seen.timeline);
      }
    }
  }

  Dice dice_;
  std::vector<Node> nodes_;
  size_t head_ = 0;  // The last node that was really promoted.
  TimelineHistory lineage_;
  int64_t postmasters_ = 0;
  Topology topology_;
  Time now_{std::chrono::seconds(1000)};
  uint64_t epoch_ = 0;
  uint32_t timeline_ = 0;
  std::string epoch_owner_;
  std::string timeline_owner_;
  uint32_t timeline_owner_timeline_ = 0;
  uint64_t failovers_ = 0;
  uint64_t refusals_ = 0;
};

TEST(TopologySimulation, NamesNoPrimaryThatIsSupersededAndFindsThePlainOne) {  // E1, E2
  const char* one = std::getenv("FAIRLEAD_SIM_SEED");
  uint64_t first = one ? std::strtoull(one, nullptr, 10) : 1;
  uint64_t runs = one ? 1 : 2000;
  uint64_t failovers = 0, refusals = 0;
  for (uint64_t seed = first; seed < first + runs; ++seed) {
    SCOPED_TRACE("FAIRLEAD_SIM_SEED=" + std::to_string(seed));
    ClusterWorld world(seed);
    for (int i = 0; i < 100 && !HasFatalFailure(); ++i) world.step();
    if (HasFatalFailure()) return;
    failovers += world.failovers();
    refusals += world.refusals();
  }
  std::cout << "seeds " << first << " to " << first + runs - 1 << ": " << failovers
            << " primaries named, " << refusals << " times writers were refused\n";
  if (runs > 1) {
    EXPECT_GT(failovers, runs * 2);
    EXPECT_GT(refusals, runs);
  }
}

}  // namespace
}  // namespace fairlead::sim
