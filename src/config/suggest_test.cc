#include "config/suggest.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace fairlead::config {
namespace {

TEST(EditDistance, CountsSingleSlips) {
  EXPECT_EQ(edit_distance("port", "port"), 0U);
  EXPECT_EQ(edit_distance("prot", "port"), 1U);   // Neighbours swapped.
  EXPECT_EQ(edit_distance("por", "port"), 1U);    // Missing.
  EXPECT_EQ(edit_distance("poort", "port"), 1U);  // Too many.
  EXPECT_EQ(edit_distance("pork", "port"), 1U);   // Another.
  EXPECT_EQ(edit_distance("", "port"), 4U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(EditDistance, OfVeryLongNamesIsInfinite) {
  EXPECT_GT(edit_distance(std::string(1'000'000, 'a'), "port"), 1'000'000U);
}

TEST(Nearest, IsTheLikelyOneOrNone) {
  constexpr std::array<std::string_view, 4> kKnown{"port", "read_port", "workers", "host"};
  EXPECT_EQ(nearest("worker", kKnown), "workers");
  EXPECT_EQ(nearest("readport", kKnown), "read_port");
  EXPECT_EQ(nearest("prt", kKnown), "port");
  EXPECT_EQ(nearest("colour", kKnown), std::nullopt);
  EXPECT_EQ(nearest("x", kKnown), std::nullopt);
  EXPECT_EQ(nearest("port", {}), std::nullopt);
}

}  // namespace
}  // namespace fairlead::config
