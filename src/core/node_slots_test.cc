#include "core/node_slots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

constexpr Time kStart{1h};
constexpr NodeIndex kFirst{0};
constexpr NodeIndex kSecond{1};
constexpr NodeIndex kThird{2};

bool yes(NodeIndex) { return true; }

class NodeSlotsTest : public ::testing::Test {
 protected:
  NodeSlots::Change list(std::vector<std::string> names, Time now = kStart) {
    return slots_.update(names, now, [this](NodeIndex) { return unused_; });
  }
  NodeSlots slots_;
  bool unused_ = true;
};

TEST_F(NodeSlotsTest, ANodeKeepsItsNumberWhateverTheOrderOfTheList) {
  EXPECT_THAT(list({"a", "b"}).added, ElementsAre(kFirst, kSecond));
  EXPECT_EQ(list({"b", "a"}), NodeSlots::Change{});
  EXPECT_THAT(list({"c", "b", "a"}).added, ElementsAre(kThird));
  EXPECT_EQ(slots_.name(kFirst), "a");
}

TEST_F(NodeSlotsTest, WhoComesBackHasTheNumberThatItHad) {
  list({"a", "b"});
  EXPECT_THAT(list({"b"}).removed, ElementsAre(kFirst));
  EXPECT_TRUE(slots_.is_gone(kFirst));
  EXPECT_EQ(slots_.name(kFirst), "a") << "its pools may still be at work";
  EXPECT_THAT(list({"b"}).removed, IsEmpty()) << "it is told once";
  EXPECT_THAT(list({"b", "a"}, kStart + 24h).added, ElementsAre(kFirst));
  EXPECT_FALSE(slots_.is_gone(kFirst));
}

TEST_F(NodeSlotsTest, ANumberIsGivenAwayOnlyWhenNothingIsLeftOfItsNode) {
  list({"a", "b"});
  list({"b"});
  const Time later = kStart + NodeSlots::kReuseAfter;
  unused_ = false;
  EXPECT_THAT(list({"b", "c"}, later).added, ElementsAre(kThird));
  unused_ = true;
  EXPECT_THAT(list({"b", "c", "d"}, later - 1us).added, ElementsAre(NodeIndex{3}));
  EXPECT_THAT(list({"b", "c", "d", "e"}, later).added, ElementsAre(kFirst));
  EXPECT_EQ(slots_.name(kFirst), "e");
  EXPECT_EQ(slots_.size(), 4u);
}

TEST_F(NodeSlotsTest, AddressesThatAreUsedOnceDoNotMakeItGrow) {
  for (int i = 0; i < 10'000; ++i)
    list({"b", "pod" + std::to_string(i)}, kStart + i * NodeSlots::kReuseAfter);
  EXPECT_LE(slots_.size(), 4u);
}

TEST(NodeSlots, WhatThereIsNoNumberForIsSaid) {
  std::vector<std::string> names;
  for (size_t i = 0; i <= NodeSlots::kSlotsMax; ++i) names.push_back(std::to_string(i));
  NodeSlots slots;
  EXPECT_THAT(slots.update(names, kStart, yes).left_out,
              ElementsAre(std::to_string(NodeSlots::kSlotsMax)));
  EXPECT_EQ(slots.size(), NodeSlots::kSlotsMax);
}

}  // namespace
}  // namespace fairlead::core
