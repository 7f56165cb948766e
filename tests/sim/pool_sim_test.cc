// Thousands of small random lives of a pool. FAIRLEAD_SIM_SEED=n runs only that one;
// FAIRLEAD_SIM_RUNS sets how many there are.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "pool_world.h"

namespace fairlead::sim {
namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(PoolSimulation, KeepsItsAccountWhateverHappens) {
  uint64_t first = from_environment("FAIRLEAD_SIM_SEED", 1);
  uint64_t runs =
      from_environment("FAIRLEAD_SIM_RUNS", std::getenv("FAIRLEAD_SIM_SEED") ? 1 : 5000);
  uint64_t served = 0, steals = 0, broken_promises = 0, late_cancels = 0, overtakings = 0;
  for (uint64_t seed = first; seed < first + runs; ++seed) {
    PoolWorld world(seed);
    for (int i = 0; i < 300 && world.failure().empty(); ++i) world.step();
    if (world.failure().empty()) world.drain();
    ASSERT_EQ(world.failure(), "") << "FAIRLEAD_SIM_SEED=" << seed;
    served += world.served();
    steals += world.steals();
    broken_promises += world.broken_promises();
    late_cancels += world.late_cancels();
    overtakings += world.overtakings();
  }
  std::cout << "seeds " << first << " to " << first + runs - 1 << ": " << served << " served, "
            << steals << " steals, " << broken_promises << " broken promises, " << late_cancels
            << " late cancels, " << overtakings << " overtakings\n";
  // A simulation that never reaches the hard cases proves nothing.
  if (runs >= 1000) {
    EXPECT_GT(served, runs * 10);
    EXPECT_GT(steals, runs);
    EXPECT_GT(broken_promises, runs / 100);
    EXPECT_GT(late_cancels, runs / 10);
    EXPECT_GT(overtakings, runs / 10);
  }
}

}  // namespace
}  // namespace fairlead::sim
