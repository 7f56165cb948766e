#include "base/error.h"

#include <gtest/gtest.h>

namespace fairlead {
namespace {

TEST(Describe, PutsAFullStopBeforeTheHint) {
  const auto described = [](std::string message, std::string detail, std::string hint) {
    return describe({ErrorCode::kConfig, std::move(message), std::move(detail), std::move(hint)});
  };
  EXPECT_EQ(described("unknown key", "", ""), "unknown key");
  EXPECT_EQ(described("unknown key", "", "Write it so."), "unknown key. Hint: Write it so.");
  EXPECT_EQ(described("too short", "2 bytes", "Fill it."), "too short (2 bytes). Hint: Fill it.");
  EXPECT_EQ(described("A sentence.", "", "Another."), "A sentence. Hint: Another.");
}

}  // namespace
}  // namespace fairlead
