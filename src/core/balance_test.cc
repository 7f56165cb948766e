#include "core/balance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "core/nodes_testing.h"

namespace fairlead::core {
namespace {

using std::chrono::seconds;

std::vector<Candidate> idle(std::initializer_list<int> nodes) {
  std::vector<Candidate> candidates;
  for (int i : nodes) candidates.push_back({node(i), 0});
  return candidates;
}

TEST(Balancer, RoundRobinIsExactForEveryNumberOfReadsAndTargets) {
  for (uint16_t targets = 1; targets <= 9; ++targets) {
    Balancer balancer(BalanceMethod::kRoundRobin);
    std::vector<Candidate> candidates;
    for (uint16_t i = 0; i < targets; ++i) candidates.push_back({NodeIndex(i * 2 + 1), 0});
    std::map<NodeIndex, int> reads;
    for (const Candidate& candidate : candidates) reads[candidate.node] = 0;
    for (int n = 1; n <= 100; ++n) {
      ++reads[balancer.pick(candidates, {}, 0)];
      auto [least, most] = std::ranges::minmax_element(reads, {}, [](auto& r) { return r.second; });
      ASSERT_LE(most->second - least->second, 1) << targets << " targets, " << n << " reads";
    }
  }
}

TEST(Balancer, RoundRobinGoesOnWhenANodeLeavesAndReturns) {
  Balancer balancer(BalanceMethod::kRoundRobin);
  EXPECT_EQ(balancer.pick(idle({0, 1, 2}), {}, 0), node(0));
  EXPECT_EQ(balancer.pick(idle({0, 2}), {}, 0), node(2));
  EXPECT_EQ(balancer.pick(idle({0, 2}), {}, 0), node(0));
  EXPECT_EQ(balancer.pick(idle({0, 1, 2}), {}, 0), node(1));
}

TEST(Balancer, RandomFollowsTheWordAndReachesEveryNode) {
  Balancer balancer(BalanceMethod::kRandom);
  auto candidates = idle({0, 1, 2});
  EXPECT_EQ(balancer.pick(candidates, {}, 0), node(0));
  EXPECT_EQ(balancer.pick(candidates, {}, UINT64_MAX), node(2));
  std::map<NodeIndex, int> reads;
  for (uint64_t i = 0; i < 3000; ++i)
    ++reads[balancer.pick(candidates, {}, i * (UINT64_MAX / 3000))];
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(reads[node(i)], 1000, 2);
}

TEST(Balancer, LeastBusyTakesTheFewestInUseAndSharesTiesInTurn) {
  Balancer balancer(BalanceMethod::kLeastBusy);
  std::vector<Candidate> candidates{{node(0), 5}, {node(1), 2}, {node(2), 2}};
  EXPECT_EQ(balancer.pick(candidates, {}, 0), node(1));
  EXPECT_EQ(balancer.pick(candidates, {}, 0), node(2));
  EXPECT_EQ(balancer.pick(candidates, {}, 0), node(1));
  candidates[0].in_use = 0;
  EXPECT_EQ(balancer.pick(candidates, {}, 0), node(0));
}

TEST(Balancer, StickyKeepsItsNodeUntilItIsNotEligible) {
  Balancer balancer(BalanceMethod::kSticky);
  EXPECT_EQ(balancer.pick(idle({0, 1, 2}), node(2), 0), node(2));
  EXPECT_EQ(balancer.pick(idle({0, 1}), node(2), 0), node(0));
  EXPECT_EQ(balancer.pick(idle({0, 1}), node(2), 0), node(1)) << "new sessions are spread in turn";
}

/// A primary (0) and two replicas (1, 2) at position 1000, everything in order.
class Eligibility : public ::testing::Test {
 protected:
  Eligibility() {
    snapshot_.decided_at = now_;
    snapshot_.primary = node(0);
    snapshot_.nodes.resize(3);
    for (NodeStatus& status : snapshot_.nodes) {
      status.role = NodeRole::kReplica;
      status.usable_for_reads = true;
      status.replay_lsn = Lsn{1000};
      status.lag = {Lag::Known::kAtMost, 0, seconds(0)};
    }
    snapshot_.nodes[0].role = NodeRole::kPrimary;
    needs_.max_lag = seconds(10);
  }
  Freshness find() { return find_eligible(snapshot_, needs_, in_use_, now_, candidates_); }

  Time now_{seconds(1000)};
  ClusterSnapshot snapshot_;
  ReadNeeds needs_;
  std::array<uint32_t, 3> in_use_{1, 2, 3};
  std::array<Candidate, 3> candidates_;
};

TEST_F(Eligibility, ReplicasServeReadsAndThePrimaryOnlyWhenAsked) {
  EXPECT_EQ(find(), Freshness(Eligible{2}));
  EXPECT_EQ(candidates_[0].node, node(1));
  EXPECT_EQ(candidates_[0].in_use, 2u);
  needs_.primary_reads = true;
  EXPECT_EQ(find(), Freshness(Eligible{3}));
  EXPECT_EQ(candidates_[0].node, node(0));
}

TEST_F(Eligibility, OnlyReplicasThatReplayedUpToTheFloorServe) {
  needs_.floor.lsn = Lsn{1000};
  EXPECT_EQ(find(), Freshness(Eligible{2}));
  snapshot_.nodes[1].replay_lsn = Lsn{999};
  EXPECT_EQ(find(), Freshness(Eligible{1}));
  EXPECT_EQ(candidates_[0].node, node(2));
}

TEST_F(Eligibility, ReceivedIsNotReplayed) {
  needs_.floor.lsn = Lsn{1001};
  for (NodeStatus& status : snapshot_.nodes) status.receive_lsn = Lsn{2000};
  EXPECT_FALSE(std::holds_alternative<Eligible>(find()));
}

TEST_F(Eligibility, WhenAllAreBehindTheNearestIsWaitedFor) {
  needs_.floor.lsn = Lsn{1200};
  snapshot_.nodes[2].replay_lsn = Lsn{1100};
  EXPECT_EQ(find(), Freshness(WaitForFreshness{NoReplica::kAllBehindFloor, node(2), 100}));
}

TEST_F(Eligibility, APendingFloorIsWaitedForUnlessThePrimaryServesReads) {
  needs_.floor.pending = true;
  EXPECT_EQ(find(), Freshness(WaitForFreshness{NoReplica::kFloorPending}));
  needs_.primary_reads = true;
  EXPECT_EQ(find(), Freshness(Eligible{1}));
}

TEST_F(Eligibility, LagBeyondTheLimitOrUnknownIsNotWaitedFor) {
  snapshot_.nodes[1].lag.time = seconds(11);
  EXPECT_EQ(find(), Freshness(Eligible{1}));
  snapshot_.nodes[2].lag = {Lag::Known::kAtLeast, 0, seconds(0)};
  EXPECT_EQ(find(), Freshness(UsePrimary{NoReplica::kAllLag}));
}

TEST_F(Eligibility, WithoutAUsableReplicaWaitingIsPointless) {
  needs_.floor.pending = true;
  snapshot_.nodes[1].usable_for_reads = snapshot_.nodes[2].usable_for_reads = false;
  EXPECT_EQ(find(), Freshness(UsePrimary{NoReplica::kNoneUsable}));
}

TEST_F(Eligibility, AnOldSnapshotProvesNothing) {
  now_ += seconds(2);
  EXPECT_EQ(find(), Freshness(Eligible{2}));
  now_ += Duration(1);
  EXPECT_EQ(find(), Freshness(UsePrimary{NoReplica::kSnapshotStale}));
  snapshot_.age_max = seconds(3);
  EXPECT_EQ(find(), Freshness(Eligible{2})) << "the next one may take that long";
}

// Every combination of what can be wrong with two replicas: a node is chosen if and only if it may
// be.
TEST_F(Eligibility, SweepAgreesWithEachNodeAskedAlone) {
  for (int sweep = 0; sweep < 2 * 16 * 16; ++sweep) {
    needs_.floor = {Lsn{1000}, sweep / 256 == 1};
    for (int i : {1, 2}) {
      int bits = i == 1 ? sweep % 16 : sweep / 16 % 16;
      NodeStatus& status = snapshot_.nodes[static_cast<size_t>(i)];
      status.usable_for_reads = bits & 1;
      status.lag.time = bits & 2 ? seconds(0) : seconds(11);
      status.lag.known = bits & 4 ? Lag::Known::kAtMost : Lag::Known::kNothing;
      status.replay_lsn = bits & 8 ? Lsn{1000} : Lsn{999};
    }
    size_t expected = 0;
    for (int i : {1, 2}) {
      const NodeStatus& status = snapshot_.nodes[static_cast<size_t>(i)];
      bool may = status.usable_for_reads && within(status.lag, *needs_.max_lag) &&
                 status.replay_lsn >= Lsn{1000} && !needs_.floor.pending;
      ASSERT_EQ(may, !why_not(status, node(i), needs_).has_value());
      expected += may;
    }
    Freshness answer = find();
    if (expected > 0)
      ASSERT_EQ(answer, Freshness(Eligible{expected}));
    else
      ASSERT_FALSE(std::holds_alternative<Eligible>(answer));
  }
}

}  // namespace
}  // namespace fairlead::core
