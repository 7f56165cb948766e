#include "net/known_host.h"

#include <gtest/gtest.h>

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;

constexpr Time kStart{std::chrono::hours(1000)};
constexpr Duration kPatience = 1s;  // More than kLookUpPatience.

Addresses address(const char* text) { return {*Address::parse(text)}; }

class KnownHostTest : public ::testing::Test {
 protected:
  void look_up(Time at, LookedUp found) {
    host_.on_begin(at);
    host_.on_end(std::move(found), at);
  }
  /// What somebody gets who asks now, for whom a look-up begins.
  std::optional<KnownHost::Outcome> ask(Time at, Duration waited = Duration{}) {
    host_.on_begin(at);
    return host_.outcome(host_.ended(), kPatience, at + waited);
  }

  KnownHost host_;
};

TEST_F(KnownHostTest, NothingIsKnownUntilTheFirstLookUpHasEnded) {
  EXPECT_FALSE(ask(kStart, 1h));
  EXPECT_EQ(host_.patient_until(kPatience, kStart), std::nullopt);
  host_.on_end({.addresses = address("10.0.0.1")}, kStart);
  const auto outcome = host_.outcome(0, kPatience, kStart);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->addresses, address("10.0.0.1"));
  EXPECT_FALSE(outcome->age);
}

TEST_F(KnownHostTest, AnAnswerIsWaitedForAndReplacesWhatIsRemembered) {
  look_up(kStart, {.addresses = address("10.0.0.1")});
  EXPECT_FALSE(ask(kStart + 1min));
  EXPECT_EQ(host_.patient_until(kPatience, kStart + 1min), kStart + 1min + kLookUpPatience);
  host_.on_end({.addresses = address("10.0.0.2")}, kStart + 1min);
  EXPECT_EQ(host_.outcome(1, kPatience, kStart + 1min)->addresses, address("10.0.0.2"));
}

TEST_F(KnownHostTest, WhatIsRememberedCountsWhenNoAnswerComesInTime) {
  look_up(kStart, {.addresses = address("10.0.0.1")});
  EXPECT_FALSE(ask(kStart + 1min, kLookUpPatience - 1us));
  const auto outcome = ask(kStart + 1min, kLookUpPatience);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->addresses, address("10.0.0.1"));
  EXPECT_EQ(outcome->age, 1min + kLookUpPatience);
}

TEST_F(KnownHostTest, WhoHasLittleTimeWaitsLess) {
  look_up(kStart, {.addresses = address("10.0.0.1")});
  host_.on_begin(kStart);
  EXPECT_EQ(host_.patient_until(10ms, kStart), kStart + 10ms);
  EXPECT_TRUE(host_.outcome(1, 10ms, kStart + 10ms));
}

TEST_F(KnownHostTest, WhoeverAsksWhileALookUpHangsDoesNotWaitAnew) {
  look_up(kStart, {.addresses = address("10.0.0.1")});
  host_.on_begin(kStart + 1min);
  EXPECT_TRUE(host_.outcome(host_.ended(), kPatience, kStart + 1min + 10s));
}

TEST_F(KnownHostTest, NameServersThatDoNotAnswerAreNotWaitedForAgain) {
  look_up(kStart, {.addresses = address("10.0.0.1")});
  look_up(kStart + 1s, {.trouble = "Temporary failure in name resolution"});
  const auto at_its_end = host_.outcome(1, kPatience, kStart + 1s);
  ASSERT_TRUE(at_its_end);
  EXPECT_EQ(at_its_end->addresses, address("10.0.0.1"));
  EXPECT_TRUE(ask(kStart + 2s)) << "while the next look-up is on its way";
}

TEST_F(KnownHostTest, AnAnswerAfterTroubleIsWaitedForAgain) {
  look_up(kStart, {.addresses = address("10.0.0.1")});
  look_up(kStart + 1s, {.trouble = "Temporary failure in name resolution"});
  look_up(kStart + 2s, {.addresses = address("10.0.0.2")});
  EXPECT_FALSE(ask(kStart + 3s));
}

TEST_F(KnownHostTest, ANameThatDoesNotExistIsForgotten) {
  look_up(kStart, {.addresses = address("10.0.0.1")});
  look_up(kStart + 1s, {.trouble = "Name or service not known", .is_refuted = true});
  const auto outcome = host_.outcome(1, kPatience, kStart + 1s);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->addresses.empty());
  EXPECT_EQ(outcome->trouble, "Name or service not known");
  EXPECT_FALSE(ask(kStart + 2s, 1h));
}

TEST_F(KnownHostTest, NothingIsRememberedForEver) {
  look_up(kStart, {.addresses = address("10.0.0.1")});
  EXPECT_TRUE(ask(kStart + kRememberedMax - 1s, 1s));
  EXPECT_FALSE(ask(kStart + kRememberedMax, 1s));
  host_.on_end({.trouble = "Temporary failure in name resolution"}, kStart + kRememberedMax + 2s);
  const auto outcome = host_.outcome(1, kPatience, kStart + kRememberedMax + 2s);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->trouble, "Temporary failure in name resolution");
}

}  // namespace
}  // namespace fairlead::net
