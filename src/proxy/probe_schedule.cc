#include "proxy/probe_schedule.h"

#include <algorithm>

namespace fairlead::proxy {

namespace {

/// For what comes on top of the schedule: a busy machine, a loop that is late.
constexpr Duration kScheduleMargin = std::chrono::milliseconds(500);

/// As server_version_num says it: the first version that has WAIT FOR LSN.
constexpr uint32_t kAwaitsReplaySince = 190000;

/// What is wanted lies behind an older position of the primary, which is being asked anew.
constexpr Duration kJustSampled = 2 * kPositionGapMin;

}  // namespace

using core::NodeState;
using core::ProbeResult;

core::HealthConfig health_config(const ProbeTiming& timing) {
  core::HealthConfig health;
  health.silent_to_down = std::max(timing.failures_to_down, 1U);
  health.refused_to_down = std::min(health.refused_to_down, health.silent_to_down);
  health.probe_interval = timing.interval;
  health.probe_interval_unsure = std::min(timing.interval, health.probe_interval_unsure);
  return health;
}

Duration silence_until_withheld(const ProbeTiming& timing) { return timing.timeout / 2; }

Duration probe_deadline(const ProbeTiming& timing, NodeState state) {
  return state == NodeState::kSuspect ? timing.timeout / 2 : timing.timeout;
}

core::TopologyConfig with_ages(core::TopologyConfig topology, const ProbeTiming& timing) {
  const core::HealthConfig health = health_config(timing);
  const Duration between_answers = timing.interval + timing.timeout + kScheduleMargin;
  const Duration each_further_failure =
      timing.timeout + std::max(kRetryGapMin, health.probe_interval_unsure);
  topology.snapshot_age_max = std::max(topology.snapshot_age_max, between_answers);
  topology.observation_age_max =
      std::max(topology.observation_age_max,
               between_answers + each_further_failure * (health.silent_to_down - 1));
  return topology;
}

std::optional<Lsn> position_to_await(const ProbeHistory& last, const core::NodeObservation* seen,
                                     const core::PrimaryPosition& primary, Time now) {
  if (!last.wanted || last.result != ProbeResult::kOk || seen == nullptr) return std::nullopt;
  if (!seen->in_recovery || seen->server_version < kAwaitsReplaySince) return std::nullopt;
  if (seen->replay_lsn >= primary.lsn) return std::nullopt;  // It has all that is known of.
  if (now - primary.sampled_at > kJustSampled) return std::nullopt;
  return primary.lsn;
}

Time next_probe_at(const ProbeHistory& last, const core::NodeHealth& health, bool awaits) {
  if (last.trouble) return last.started_at + kTroubleGapMin;
  if (last.result == ProbeResult::kOk) {
    const Duration gap = health.next_probe_after();
    if (health.state() != NodeState::kUp) return last.started_at + gap;
    if (last.wanted && awaits && !last.awaited) return last.started_at;
    if (last.wanted) return last.started_at + kPositionGapMin;
    return last.started_at + (last.urgent ? std::min(gap, kUrgentGap) : gap);
  }
  if (health.state() == NodeState::kSuspect)
    return std::max(last.started_at + health.next_probe_after(), last.ended_at + kRetryGapMin);
  const uint32_t doublings = std::min(last.kept_out, 8U);  // 500 ms * 2^8 is far above the limit.
  const Duration gap = health.next_probe_after() * (1U << doublings);
  return last.ended_at + std::min(gap, std::max(kKeptOutGapMax, health.next_probe_after()));
}

}  // namespace fairlead::proxy
