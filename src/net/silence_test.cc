#include "net/silence.h"

#include <gtest/gtest.h>

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;

constexpr Time kBegin = Time{} + 1h;

TEST(Silence, LastsFromTheFirstLossUntilThePeerIsHeard) {  // F56
  Silence silence;
  EXPECT_EQ(silence.on_asked(false, kBegin), 0s);
  for (Duration passed = 0s; passed < 5s; passed += 100ms)
    EXPECT_EQ(silence.on_asked(false, kBegin + passed), passed);
  EXPECT_EQ(silence.on_asked(true, kBegin + 5s), 0s);
  EXPECT_EQ(silence.on_asked(false, kBegin + 5s + 100ms), 0s);
  EXPECT_EQ(silence.on_asked(false, kBegin + 5s + 300ms), 200ms);
}

TEST(Silence, OfBeforeNobodyAskedForAWhileIsForgotten) {  // F56
  Silence silence;
  silence.on_asked(false, kBegin);
  EXPECT_EQ(silence.on_asked(false, kBegin + 1s), 1s);
  EXPECT_EQ(silence.on_asked(false, kBegin + 1min), 0s);
  EXPECT_EQ(silence.on_asked(false, kBegin + 1min + 200ms), 200ms);
}

}  // namespace
}  // namespace fairlead::net
