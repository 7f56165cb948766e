// What it costs to decide where one read goes: the route, which nodes are eligible, and which of
// them serves it. Argument: how many replicas there are.
#include <benchmark/benchmark.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/balance.h"
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
  const ReadNeeds needs{.floor = {.lsn = kFloor}, .max_lag = kLagMax};
  const bench::ReportAllocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    const Route route = decide_route({.decision = kRead});
    if (route.target != Target::kReplica) return state.SkipWithError("a read of the primary");
    const Freshness freshness = find_eligible(snapshot, needs, in_use, kNow, candidates);
    const auto* eligible = std::get_if<Eligible>(&freshness);
    if (eligible == nullptr || eligible->count != snapshot.nodes.size() - 1)
      return state.SkipWithError("a replica is not eligible");
    benchmark::DoNotOptimize(balancer.pick({candidates.data(), eligible->count}, {}, 0));
  }
}

BENCHMARK(decide_route_only);
BENCHMARK(route_read)->Arg(1)->Arg(2)->Arg(4)->Arg(16);

}  // namespace
}  // namespace fairlead::core
