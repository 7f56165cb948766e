// What it costs to decide where one statement goes: the route, which nodes are eligible, and which
// of them serves it. Argument: how many replicas there are.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "core/node_choice.h"
#include "core/route.h"
#include "core/topology.h"
#include "report_allocations.h"

namespace fairlead::core {
namespace {

using std::chrono::seconds;

constexpr Time kNow{seconds(1000)};
constexpr Duration kLagMax = seconds(10);
constexpr Lsn kFloor{1000};

// A healthy cluster whose replicas have replayed the floor.
ClusterSnapshot cluster_of(int64_t replicas) {
  ClusterSnapshot snapshot;
  snapshot.decided_at = kNow;
  snapshot.primary = NodeIndex{0};
  snapshot.timeline = 1;
  snapshot.positions.add(kNow - seconds(1), kFloor);
  for (int64_t i = 0; i <= replicas; ++i) {
    NodeStatus node;
    node.name = "127.0.0.1:" + std::to_string(5601 + i);
    node.role = i == 0 ? NodeRole::kPrimary : NodeRole::kReplica;
    node.state = NodeState::kUp;
    node.timeline = 1;
    node.replay_lsn = node.receive_lsn = kFloor;
    node.observed_started_at = node.observed_at = kNow;
    node.lag = Lag{.known = Lag::Known::kAtMost};
    node.usable_for_reads = i > 0;
    snapshot.nodes.push_back(node);
  }
  return snapshot;
}

constexpr sql::Decision kRead{sql::Access::kRead, sql::Reason::kRead, false};
constexpr sql::Decision kWrite{sql::Access::kPrimary, sql::Reason::kWrite, true};

void decide_route_only(benchmark::State& state) {
  RouteInput input{.decision = kRead};
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(input);
    benchmark::DoNotOptimize(decide_route(input));
  }
}

// From the class of a statement to the node, as for every read outside a transaction.
void route_read(benchmark::State& state) {
  const ClusterSnapshot snapshot = cluster_of(state.range(0));
  const std::vector<uint32_t> in_use(snapshot.nodes.size(), 3);
  std::vector<Candidate> candidates(snapshot.nodes.size());
  Balancer balancer(BalanceMethod::kLeastBusy);
  const ChoiceOptions options{.max_lag = kLagMax};
  const ReadHistory history{.arrived = kNow, .others_write = kNow - seconds(2)};
  const bench::ReportAllocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    const Choice choice = choose_node({.route = decide_route({.decision = kRead})}, history,
                                      {snapshot, options, in_use, candidates, kNow}, balancer, 0);
    if (!choice.now || choice.now->target != Target::kReplica || choice.patience != Duration{})
      return state.SkipWithError("no replica is eligible");
    benchmark::DoNotOptimize(choice);
  }
}

// The same of a write.
void route_write(benchmark::State& state) {
  const ClusterSnapshot snapshot = cluster_of(state.range(0));
  const std::vector<uint32_t> in_use(snapshot.nodes.size(), 3);
  std::vector<Candidate> candidates(snapshot.nodes.size());
  Balancer balancer(BalanceMethod::kLeastBusy);
  const ChoiceOptions options{.max_lag = kLagMax};
  const bench::ReportAllocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    const Choice choice =
        choose_node({.route = decide_route({.decision = kWrite})}, {.arrived = kNow},
                    {snapshot, options, in_use, candidates, kNow}, balancer, 0);
    if (!choice.now || choice.now->target != Target::kPrimary)
      return state.SkipWithError("not to the primary");
    benchmark::DoNotOptimize(choice);
  }
}

BENCHMARK(decide_route_only);
BENCHMARK(route_write)->Arg(2);
BENCHMARK(route_read)->Arg(1)->Arg(2)->Arg(4)->Arg(16);

}  // namespace
}  // namespace fairlead::core
