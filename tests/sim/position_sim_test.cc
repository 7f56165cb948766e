// Random lives of positions: what sessions read at each level, compared with what the cluster
// really had. A failure prints its seed; FAIRLEAD_TEST_SEED runs that one alone, FAIRLEAD_SIM_RUNS
// sets how many lives each test has.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <optional>

#include "sim/position_world.h"
#include "sim/under_sanitizer.h"

namespace fairlead::sim {
namespace {

/// Nothing when one seed alone was asked for, because it need not reach the hard cases.
std::optional<PositionCounts> run_seeds(uint64_t count, int steps, PositionWorldConfig config) {
  const char* fixed = std::getenv("FAIRLEAD_TEST_SEED");
  const uint64_t first = fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : 1;
  const char* more = std::getenv("FAIRLEAD_SIM_RUNS");
  if (more != nullptr) count = std::strtoull(more, nullptr, 10);
  const uint64_t last = fixed != nullptr ? first : count / kLivesDivisor;
  PositionCounts counts;
  for (uint64_t seed = first; seed <= last; ++seed) {
    PositionWorld world(seed, config);
    for (int i = 0; i < steps && world.failure().empty(); ++i) world.step();
    if (world.failure().empty()) world.rest();
    EXPECT_EQ(world.failure(), "") << "FAIRLEAD_TEST_SEED=" << seed;
    if (!world.failure().empty()) return std::nullopt;
    counts.add(world.counts());
  }
  std::cout << last - first + 1 << " lives: " << counts.reads << " reads, " << counts.on_replicas
            << " of them on replicas, " << counts.writes << " writes, " << counts.waits
            << " waits, " << counts.too_new << " servers too new, " << counts.token_reads
            << " reads with tokens, " << counts.tokens_refused << " tokens refused, "
            << counts.tokens_lost << " of them lost, " << counts.promotions << " promotions, "
            << counts.unknown_outcomes << " unknown outcomes, " << counts.refusals
            << " refusals; excused: " << counts.lost << " lost, " << counts.early << " early, "
            << counts.unaccepted << " unaccepted\n";
  if (fixed != nullptr) return std::nullopt;
  return counts;
}

// A simulation that never reaches the hard cases proves nothing.
void expect_hard_cases(const std::optional<PositionCounts>& counts) {
  if (!counts) return;
  EXPECT_GT(counts->on_replicas, counts->reads / 4);
  EXPECT_GT(counts->waits, counts->reads / 2);
  EXPECT_GT(counts->token_reads, counts->reads / 20);
}

TEST(PositionSim, EveryLevelShowsWhatItPromisesWhileReplicasLag) {  // D1, D8, D11, D16, D21
  const auto counts =
      run_seeds(2000, 400, {.replicas = 2, .with_failures = false, .with_promotions = false});
  expect_hard_cases(counts);
  if (!counts) return;
  EXPECT_EQ(counts->lost + counts->unaccepted + counts->tokens_refused, 0U);
}

TEST(PositionSim, RestartsAndLostAnswersBreakNoPromise) {  // D7, D14, D16
  const auto counts = run_seeds(2000, 400, {.replicas = 3, .with_promotions = false});
  expect_hard_cases(counts);
  if (!counts) return;
  EXPECT_GT(counts->too_new, counts->reads / 100);
  EXPECT_GT(counts->unknown_outcomes, 0U);
  EXPECT_GT(counts->early, 0U);
  EXPECT_EQ(counts->unaccepted, 0U);
}

TEST(PositionSim, APromotionTakesOnlyWhatIsLost) {  // D20, E1, E3
  const auto counts = run_seeds(2000, 500, {.replicas = 2});
  expect_hard_cases(counts);
  if (!counts) return;
  EXPECT_GT(counts->promotions, 0U);
  EXPECT_GT(counts->tokens_lost, 0U);
  EXPECT_GT(counts->lost, 0U);
  // A worker that hears late takes a node for the primary that it was two promotions ago.
  EXPECT_LE(counts->unaccepted, counts->reads / 10'000);
}

TEST(PositionSim, AnOldPrimaryThatGoesOnGetsNothingFromWhoKnowsBetter) {  // E1, E2, E3, D20
  const auto counts = run_seeds(2000, 500, {.replicas = 2, .with_old_primaries = true});
  expect_hard_cases(counts);
  if (!counts) return;
  EXPECT_GT(counts->tokens_lost, 0U);
  EXPECT_GT(counts->unaccepted, 0U);
}

}  // namespace
}  // namespace fairlead::sim
