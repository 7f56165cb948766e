#include "core/node_health.h"

#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

using enum NodeState;
using enum ProbeResult;
using std::chrono::milliseconds;
using std::chrono::seconds;

class NodeHealthWalk : public ::testing::Test {
 protected:
  std::optional<HealthChange> probe(ProbeResult result, std::string_view detail = {}) {
    now_ += seconds(1);
    return health_.on_probe(result, detail, now_);
  }
  void stay_up(int seconds_long) {
    for (int i = 0; i < seconds_long; ++i) probe(kOk);
  }

  Time now_{seconds(1000)};
  NodeHealth health_;
};

TEST_F(NodeHealthWalk, IsDownUntilItHasAnsweredOnce) {
  EXPECT_EQ(health_.state(), kDown);
  EXPECT_EQ(health_.reason(), "not reached yet");
  EXPECT_EQ(probe(kOk), (HealthChange{kDown, kUp}));
  EXPECT_EQ(health_.reason(), "");
  EXPECT_EQ(health_.since(), now_);
}

TEST_F(NodeHealthWalk, ThreeSilencesTakeItDownAndTwoDoNot) {
  stay_up(1);
  EXPECT_EQ(probe(kTimeout), (HealthChange{kUp, kSuspect}));
  EXPECT_EQ(probe(kTimeout), std::nullopt);
  EXPECT_EQ(probe(kOk), (HealthChange{kSuspect, kUp}));
  probe(kTimeout);
  probe(kTimeout);
  EXPECT_EQ(health_.reason(), "no answer within the deadline (2 in a row)");
  EXPECT_EQ(probe(kTimeout), (HealthChange{kSuspect, kDown}));
}

TEST_F(NodeHealthWalk, TwoRefusalsTakeItDown) {
  for (ProbeResult refusal : {kRefused, kStarting, kAuthFailed}) {
    NodeHealth health;
    health.on_probe(kOk, {}, now_);
    EXPECT_EQ(health.on_probe(refusal, {}, now_), (HealthChange{kUp, kSuspect}));
    EXPECT_EQ(health.on_probe(refusal, {}, now_), (HealthChange{kSuspect, kDown}));
  }
}

TEST_F(NodeHealthWalk, ARefusalAmongSilencesIsOneOfThree) {
  stay_up(1);
  probe(kRefused);
  probe(kTimeout);
  EXPECT_EQ(health_.state(), kSuspect);
  EXPECT_EQ(probe(kRefused), (HealthChange{kSuspect, kDown}));
}

TEST_F(NodeHealthWalk, AnotherClustersServerIsDownAtOnce) {
  stay_up(1);
  EXPECT_EQ(probe(kWrongSystem, "identifier 42"), (HealthChange{kUp, kDown}));
  EXPECT_EQ(health_.reason(), "belongs to another cluster: identifier 42");
}

TEST_F(NodeHealthWalk, ComesBackAfterTwoGoodAnswers) {
  stay_up(60);
  probe(kRefused);
  probe(kRefused);
  EXPECT_EQ(probe(kOk), std::nullopt);
  EXPECT_EQ(probe(kTimeout), std::nullopt) << "a failure in between starts the count again";
  EXPECT_EQ(probe(kOk), std::nullopt);
  EXPECT_EQ(probe(kOk), (HealthChange{kDown, kUp}));
}

TEST_F(NodeHealthWalk, ANodeThatFlapsMustAnswerWellForLonger) {
  stay_up(2);
  probe(kRefused);
  probe(kRefused);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(probe(kOk), std::nullopt) << i;
  EXPECT_EQ(health_.reason(), "answers again, but went down soon after it last came up");
  EXPECT_EQ(probe(kOk), (HealthChange{kDown, kUp}));
}

TEST_F(NodeHealthWalk, APrimaryThatFlapsIsNotHeldBackBecauseWritesWaitForIt) {
  stay_up(2);
  probe(kRefused);
  probe(kRefused);
  EXPECT_EQ(health_.on_probe(kOk, {}, now_, false), std::nullopt);
  EXPECT_EQ(health_.on_probe(kOk, {}, now_, false), (HealthChange{kDown, kUp}));
}

TEST_F(NodeHealthWalk, TroubleOfOneClientMakesItSuspectButNeverDown) {
  EXPECT_EQ(health_.on_trouble("reset", now_), std::nullopt) << "it is not up";
  stay_up(1);
  EXPECT_EQ(health_.on_trouble("connection reset", now_), (HealthChange{kUp, kSuspect}));
  for (int i = 0; i < 10; ++i) health_.on_trouble("connection reset", now_);
  EXPECT_EQ(health_.state(), kSuspect);
  EXPECT_EQ(probe(kTimeout), std::nullopt) << "trouble is not one of the three";
  EXPECT_EQ(health_.state(), kSuspect);
  EXPECT_EQ(probe(kOk), (HealthChange{kSuspect, kUp}));
}

TEST_F(NodeHealthWalk, IsProbedFasterWhileUnsure) {
  EXPECT_EQ(health_.next_probe_after(), seconds(1));
  stay_up(60);
  EXPECT_EQ(health_.next_probe_after(), seconds(1));
  probe(kTimeout);
  EXPECT_EQ(health_.next_probe_after(), milliseconds(200));
  probe(kTimeout);
  probe(kTimeout);
  EXPECT_EQ(health_.next_probe_after(), seconds(1));
  probe(kOk);
  EXPECT_EQ(health_.next_probe_after(), milliseconds(200)) << "it may be coming back";
}

// Every sequence of six results: the rules that must hold whatever happens.
TEST(NodeHealthSweep, NeverUpAfterAFailureAndNeverDownWithoutEnoughOfThem) {
  constexpr ProbeResult kResults[] = {kOk,         kRefused,     kTimeout,    kStarting,
                                      kAuthFailed, kWrongSystem, kOtherError, kNotAsked};
  constexpr int kCount = std::size(kResults);
  int sequences = 1;
  for (int i = 0; i < 6; ++i) sequences *= kCount;
  for (int sequence = 0; sequence < sequences; ++sequence) {
    NodeHealth health;
    Time now(seconds(1000));
    health.on_probe(kOk, {}, now);
    int failures = 0;
    for (int i = 0, rest = sequence; i < 6; ++i, rest /= kCount) {
      ProbeResult result = kResults[rest % kCount];
      NodeState before = health.state();
      auto change = health.on_probe(result, {}, now += seconds(1));
      failures = result == kOk ? 0 : failures + 1;
      ASSERT_EQ(change.has_value(), before != health.state());
      ASSERT_EQ(health.reason().empty(), health.state() == kUp);
      if (result != kOk) ASSERT_NE(health.state(), kUp);
      if (failures == 1 && before == kUp && result != kWrongSystem)
        ASSERT_EQ(health.state(), kSuspect);
      if (failures >= 3) ASSERT_EQ(health.state(), kDown);
    }
  }
}

}  // namespace
}  // namespace fairlead::core
