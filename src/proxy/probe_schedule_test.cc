#include "proxy/probe_schedule.h"

#include <gtest/gtest.h>

namespace fairlead::proxy {
namespace {

using namespace std::chrono_literals;
using core::NodeHealth;
using core::NodeState;
using core::ProbeResult;

constexpr ProbeTiming kDefaults{500ms, 1s, 3};
constexpr Time kStart{1h};

/// A node that was fine at kStart and is silent from then on.
struct Silence {
  Time withheld_at{};
  Time down_at{};
};
Silence live_through_silence(const ProbeTiming& timing) {
  NodeHealth health(health_config(timing));
  health.on_probe(ProbeResult::kOk, {}, kStart);
  ProbeHistory last{.started_at = kStart, .ended_at = kStart};
  Silence silence;
  while (health.state() != NodeState::kDown) {
    last.started_at = std::max(next_probe_at(last, health), last.ended_at);
    if (silence.withheld_at == Time{})
      silence.withheld_at = last.started_at + silence_until_withheld(timing);
    last.ended_at = last.started_at + probe_deadline(timing, health.state());
    last.result = ProbeResult::kTimeout;
    health.on_probe(last.result, {}, last.ended_at);
  }
  silence.down_at = last.ended_at;
  return silence;
}

TEST(ProbeSchedule, ANodeThatHangsIsWithheldAfterOneSecondAndDownBeforeThree) {
  const Silence silence = live_through_silence(kDefaults);
  EXPECT_EQ(silence.withheld_at - kStart, 1s);
  EXPECT_EQ(silence.down_at - kStart, 2600ms);
}

TEST(ProbeSchedule, OneFailureIsEnoughWhenSoConfigured) {
  EXPECT_EQ(live_through_silence({500ms, 1s, 1}).down_at - kStart, 1500ms);
}

TEST(ProbeSchedule, WhatIsKnownCountsUntilTheNextAnswerOrUntilTheNodeIsDown) {
  for (const Duration interval : {Duration(10ms), Duration(500ms), Duration(5s), Duration(1h)})
    for (const Duration timeout : {Duration(10ms), Duration(1s), Duration(10min)})
      for (const uint32_t failures : {1U, 3U, 100U}) {
        const ProbeTiming timing{interval, timeout, failures};
        const auto ages = with_ages({}, timing);
        EXPECT_GT(ages.snapshot_age_max, interval + timeout);
        EXPECT_GT(ages.observation_age_max, live_through_silence(timing).down_at - kStart)
            << failures << " failures of " << timeout << " every " << interval;
      }
  const auto defaults = with_ages({}, kDefaults);
  EXPECT_EQ(defaults.snapshot_age_max, 2s);
  EXPECT_EQ(defaults.observation_age_max, 15s);
}

TEST(ProbeSchedule, AHealthyNodeIsAskedOncePerInterval) {
  NodeHealth health(health_config(kDefaults));
  health.on_probe(ProbeResult::kOk, {}, kStart);
  const ProbeHistory last{.started_at = kStart, .ended_at = kStart + 300ms};
  EXPECT_EQ(next_probe_at(last, health), kStart + 500ms);
}

TEST(ProbeSchedule, WhileWritesWaitForAPrimaryEachNodeThatIsUpIsAskedMoreOften) {
  NodeHealth health(health_config(kDefaults));
  health.on_probe(ProbeResult::kOk, {}, kStart);
  ProbeHistory last{.started_at = kStart, .ended_at = kStart + 1ms, .urgent = true};
  EXPECT_EQ(next_probe_at(last, health), kStart + kUrgentGap);
  health.on_probe(ProbeResult::kTimeout, {}, kStart + 100ms);
  last.result = ProbeResult::kTimeout;
  EXPECT_GE(next_probe_at(last, health), kStart + 50ms) << "a node in trouble is not";
}

// D19: a replica that is behind what is wanted is waited for at the node, where it can be.
TEST(ProbeSchedule, AReplicaOfPostgreSql19IsAwaitedWhereThePrimaryIs) {
  ProbeHistory last{.started_at = kStart, .wanted = true};
  core::NodeObservation seen{.in_recovery = true};
  seen.server_version = 190000;
  seen.replay_lsn = Lsn{100};
  const core::PrimaryPosition primary{.lsn = Lsn{101}, .sampled_at = kStart};
  const auto awaited = [&](Time now = kStart + 3ms) {
    return position_to_await(last, &seen, primary, now);
  };
  EXPECT_EQ(awaited(), Lsn{101});
  EXPECT_EQ(awaited(kStart + 5ms), std::nullopt) << "what is wanted is newer";
  EXPECT_EQ(position_to_await(last, nullptr, primary, kStart), std::nullopt);
  seen.replay_lsn = Lsn{101};
  EXPECT_EQ(awaited(), std::nullopt) << "it has that already";
  seen.replay_lsn = Lsn{100};
  seen.server_version = 180004;
  EXPECT_EQ(awaited(), std::nullopt);
  seen.server_version = 190000;
  seen.in_recovery = false;
  EXPECT_EQ(awaited(), std::nullopt);
  seen.in_recovery = true;
  last.result = ProbeResult::kTimeout;
  EXPECT_EQ(awaited(), std::nullopt);
  last.result = ProbeResult::kOk;
  last.wanted = false;
  EXPECT_EQ(awaited(), std::nullopt) << "nobody waits";
}

TEST(ProbeSchedule, AProbeThatAwaitsComesAtOnceBehindOneThatDidNot) {  // D19
  NodeHealth health(health_config(kDefaults));
  health.on_probe(ProbeResult::kOk, {}, kStart);
  ProbeHistory last{.started_at = kStart, .ended_at = kStart + 1ms, .wanted = true};
  EXPECT_EQ(next_probe_at(last, health, true), kStart);
  last.awaited = true;
  EXPECT_EQ(next_probe_at(last, health, true), kStart + kPositionGapMin) << "or they never end";
  last.wanted = false;
  EXPECT_EQ(next_probe_at(last, health, true), kStart + 500ms);
}

TEST(ProbeSchedule, PositionsThatAreWantedComeSoonerButOnlyFromANodeThatIsUp) {
  NodeHealth health(health_config(kDefaults));
  ProbeHistory last{.started_at = kStart, .ended_at = kStart + 1ms};
  last.wanted = true;
  EXPECT_GE(next_probe_at(last, health), kStart + 200ms);  // Down until it has answered.
  health.on_probe(ProbeResult::kOk, {}, kStart);
  EXPECT_EQ(next_probe_at(last, health), kStart + kPositionGapMin);
  last.result = ProbeResult::kTimeout;
  health.on_probe(ProbeResult::kTimeout, {}, kStart + 1ms);
  EXPECT_EQ(next_probe_at(last, health), kStart + 200ms);
}

TEST(ProbeSchedule, TroubleIsLookedAtAtOnceButNotAHundredTimes) {
  NodeHealth health(health_config(kDefaults));
  health.on_probe(ProbeResult::kOk, {}, kStart);
  health.on_trouble({}, kStart);
  ProbeHistory last{.started_at = kStart, .ended_at = kStart + 1ms};
  last.trouble = true;
  EXPECT_EQ(next_probe_at(last, health), kStart + kTroubleGapMin);
}

TEST(ProbeSchedule, ARefusedNodeIsDownAfterASecondRefusalAndAskedAgainEveryInterval) {
  NodeHealth health(health_config(kDefaults));
  health.on_probe(ProbeResult::kOk, {}, kStart);
  ProbeHistory last{
      .started_at = kStart + 500ms, .ended_at = kStart + 501ms, .result = ProbeResult::kRefused};
  health.on_probe(last.result, {}, last.ended_at);
  EXPECT_EQ(next_probe_at(last, health), kStart + 700ms);
  last.started_at = last.ended_at = kStart + 700ms;
  health.on_probe(last.result, {}, last.ended_at);
  EXPECT_EQ(health.state(), NodeState::kDown);
  EXPECT_EQ(next_probe_at(last, health), kStart + 1200ms);
}

TEST(ProbeSchedule, ANodeThatWillNotHaveUsIsAskedEverLessOften) {
  NodeHealth health(health_config(kDefaults));
  ProbeHistory last{.started_at = kStart, .ended_at = kStart, .result = ProbeResult::kAuthFailed};
  Duration before{};
  for (last.kept_out = 1; last.kept_out < 100; ++last.kept_out) {
    health.on_probe(last.result, {}, kStart);
    const Duration gap = next_probe_at(last, health) - last.ended_at;
    EXPECT_GE(gap, before);
    before = gap;
  }
  EXPECT_EQ(before, kKeptOutGapMax);
}

}  // namespace
}  // namespace fairlead::proxy
