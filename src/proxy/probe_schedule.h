// When a node is probed next, and how long it may take. Pure.
//
// How long a node that hangs (SIGSTOP, a dead link) stays in use, with an interval I, a timeout T
// and n failures until down: it is asked again within I; it is WITHHELD from new reads once that
// probe has been silent for T/2; it is suspect when the probe fails after T, and down after n - 1
// more with half the deadline each:
//
//   withheld within I + T/2                      1.0 s with the defaults 500 ms, 1 s, 3
//   down     within I + T + (n - 1) * (T/2 + gap)   2.6 s
//
// A server that a client loses reports trouble, which skips the I.
#pragma once

#include <cstdint>
#include <optional>

#include "base/lsn.h"
#include "base/time.h"
#include "core/node_health.h"
#include "core/topology.h"

namespace fairlead::proxy {

struct ProbeTiming {
  Duration interval{};
  Duration timeout{};
  uint32_t failures_to_down = 0;
};

/// How the health of a node is judged with this timing.
core::HealthConfig health_config(const ProbeTiming& timing);

/// A probe that is silent for so long takes its node out of the rotation of reads, before anything
/// is known. Half of the deadline: a server that is merely busy has room, and a hung one is out of
/// use well before three timeouts have passed.
Duration silence_until_withheld(const ProbeTiming& timing);

/// How long a probe of a node in this state may take. Shorter while suspect, because silence has
/// been heard already; the full time once down, or a node behind a slow login could never come
/// back.
Duration probe_deadline(const ProbeTiming& timing, core::NodeState state);

/// Positions of an up node, while somebody waits for fresher ones, are not asked more often.
inline constexpr Duration kPositionGapMin = std::chrono::milliseconds(2);
/// Nor is a node probed more often because clients lose their servers: a hundred may at once.
inline constexpr Duration kTroubleGapMin = std::chrono::milliseconds(20);
/// Nor an up node while writes wait for a primary: it may be the next one, and every millisecond of
/// this is added to how long they wait.
inline constexpr Duration kUrgentGap = std::chrono::milliseconds(20);
/// A failed probe is not repeated sooner.
inline constexpr Duration kRetryGapMin = std::chrono::milliseconds(50);
/// A node that answers and will not have us is asked ever less often, down to this: each attempt is
/// a line in its log.
inline constexpr Duration kKeptOutGapMax = std::chrono::seconds(5);

struct ProbeHistory {
  Time started_at{};  // Of the last probe.
  Time ended_at{};
  core::ProbeResult result = core::ProbeResult::kOk;
  uint32_t kept_out = 0;  // kAuthFailed and kOtherError in a row.
  bool wanted = false;    // Somebody waits for a position.
  bool awaited = false;   // The last probe waited at the node for one: position_to_await().
  bool trouble = false;   // A client lost its server since the last probe began.
  bool urgent = false;    // Writes wait for a primary, or for its leave to begin.
};

/// How old what is known may be when it counts: an answer of one node, and a decision about all.
/// Never shorter than core::TopologyConfig has them, and longer where this timing leaves more
/// between two answers.
core::TopologyConfig with_ages(core::TopologyConfig topology, const ProbeTiming& timing);

/// The position that a replica is to be waited for, at the node itself and for kPositionGapMin at
/// most, before it is asked for its own: where the primary was just seen (D19). Instead of asking
/// again and again, where the server can do it: PostgreSQL 19's WAIT FOR LSN. That says nothing of
/// timelines, so it only decides when to ask. nullopt: the node is asked at once. `seen` may be
/// null.
std::optional<Lsn> position_to_await(const ProbeHistory& last, const core::NodeObservation* seen,
                                     const core::PrimaryPosition& primary, Time now);

/// `awaits`: the next probe is one that waits at the node. It may come at once behind one that did
/// not: what was seen there is known to be too old.
Time next_probe_at(const ProbeHistory& last, const core::NodeHealth& health, bool awaits = false);

}  // namespace fairlead::proxy
