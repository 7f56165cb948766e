#include "app/progress_lines.h"

#include <gtest/gtest.h>

namespace fairlead::app {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kMiB = 1 << 20;

TEST(AdvanceText, SaysHowMuchHowFastAndHowLongItStillTakes) {
  EXPECT_EQ(advance_text({100 * kMiB, 300 * kMiB, 4s}), "100 MiB of 300 MiB, 25 MiB/s, 8.0 s left");
}

TEST(AdvanceText, SaysNothingOfARateThatNobodyKnows) {
  EXPECT_EQ(advance_text({0, 300 * kMiB, 4s}), "0 B of 300 MiB");
  EXPECT_EQ(advance_text({kMiB, 300 * kMiB, 0s}), "1.0 MiB of 300 MiB");
}

TEST(AdvanceText, SaysNothingOfTheEndWhenItIsThere) {
  EXPECT_EQ(advance_text({300 * kMiB, 300 * kMiB, 10s}), "300 MiB of 300 MiB, 30 MiB/s");
}

}  // namespace
}  // namespace fairlead::app
