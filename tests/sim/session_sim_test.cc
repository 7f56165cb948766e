// Random lives of sessions, compared with servers of their own. A failure prints its seed;
// FAIRLEAD_TEST_SEED runs that one alone.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "sim/session_world.h"
#include "sim/under_sanitizer.h"

namespace fairlead::sim {
namespace {

uint64_t seed_under_way = 0;

/// An assertion ends the program without a word about the run that it was in.
extern "C" void tell_seed(int) {
  char text[64];
  const int size = std::snprintf(text, sizeof text, "FAIRLEAD_TEST_SEED=%lu\n", seed_under_way);
  (void)!write(STDERR_FILENO, text, static_cast<size_t>(size));
  std::signal(SIGABRT, SIG_DFL);
}

void run_seeds(uint64_t count, uint32_t choices, WorldConfig config) {
  const char* fixed = std::getenv("FAIRLEAD_TEST_SEED");
  const uint64_t first = fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : 1;
  const uint64_t last = fixed != nullptr ? first : count / kLivesDivisor;
  std::signal(SIGABRT, tell_seed);
  for (uint64_t seed = first; seed <= last; ++seed) {
    seed_under_way = seed;
    SeededChoices decisions(seed, choices);
    const std::string wrong = SessionWorld(decisions, config).run();
    ASSERT_TRUE(wrong.empty()) << "FAIRLEAD_TEST_SEED=" << seed << ": " << wrong;
  }
}

TEST(SessionSim,
     EachClientGetsWhatAServerOfItsOwnWouldSay) {  // C2, C3, C10, C12, F21, F22, F24, F30, F32
  run_seeds(3000, 400, {.clients = 3, .primaries = 2, .replicas = 1});
}

TEST(SessionSim, EachClientGetsWhatAServerOfItsOwnWouldSayInALongLife) {
  run_seeds(100, 20'000, {.clients = 6, .primaries = 3, .replicas = 2});
}

TEST(SessionSim, OneServerOfEachKindServesAll) {
  run_seeds(1000, 1000, {.clients = 4, .primaries = 1, .replicas = 1});
}

TEST(SessionSim, TransactionsThatReadOnReplicasUntilTheyWriteLookTheSame) {  // B30, B31, B35, B36
  run_seeds(3000, 1000, {.clients = 3, .primaries = 2, .replicas = 2, .until_write = true});
}

TEST(SessionSim, DyingServersCostNobodyMoreThanOneAnswerEachUntilTheyWrite) {  // E20, E27, B36
  run_seeds(
      3000, 1000,
      {.clients = 3, .primaries = 2, .replicas = 2, .with_deaths = true, .until_write = true});
}

TEST(SessionSim, CancelRequestsHitTheirOwnClientOnlyUntilTheyWrite) {  // F41, B30
  run_seeds(
      3000, 1000,
      {.clients = 3, .primaries = 2, .replicas = 2, .with_cancels = true, .until_write = true});
}

TEST(SessionSim, DyingServersCostNobodyMoreThanOneAnswerEach) {  // E20, E27, A62
  run_seeds(3000, 1000, {.clients = 3, .primaries = 2, .replicas = 1, .with_deaths = true});
}

TEST(SessionSim, AReplicaThatIsLeftInDoubtIsNotNoticed) {  // A60, B30, B31
  run_seeds(
      3000, 1000,
      {.clients = 3, .primaries = 2, .replicas = 2, .with_doubts = true, .until_write = true});
}

TEST(SessionSim, AReplicaThatDiesBeforeItsAnswerIsSeenIsNotNoticed) {  // A60
  run_seeds(3000, 1000, {.clients = 3, .primaries = 1, .replicas = 1, .only_reads = true});
}

TEST(SessionSim, CancelRequestsHitTheirOwnClientOnly) {  // F41
  run_seeds(3000, 1000, {.clients = 3, .primaries = 2, .replicas = 1, .with_cancels = true});
}

}  // namespace
}  // namespace fairlead::sim
