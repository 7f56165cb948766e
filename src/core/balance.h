// Which node serves one read: who is eligible, whether to wait, and which of the eligible ones.
//
// Pure. A Balancer belongs to one worker (round robin is exact per worker); the eligibility
// functions have no state. No allocation; O(nodes).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "base/lsn.h"
#include "base/time.h"
#include "core/node_index.h"
#include "core/topology.h"

namespace fairlead::core {

struct Candidate {
  NodeIndex node{};
  uint32_t in_use = 0;  // Servers of this node that clients hold now.
};

enum class BalanceMethod : uint8_t { kRoundRobin, kRandom, kLeastBusy, kSticky };

class Balancer {
 public:
  explicit Balancer(BalanceMethod method) : method_(method) {}

  /// Picks one of `candidates`, which is not empty and in ascending order of node.
  ///   kRoundRobin: the next node after the last one picked: N picks over the same k candidates
  ///   differ by at
  ///     most one. kRandom: by `random_word`, 64 uniform bits. kLeastBusy: fewest in use, ties in
  ///     turn.
  ///   kSticky: `kept` while it is a candidate, else the next in turn; the caller keeps the answer.
  NodeIndex pick(std::span<const Candidate> candidates, std::optional<NodeIndex> kept,
                 uint64_t random_word);

 private:
  NodeIndex next_in_turn(std::span<const Candidate> candidates, uint32_t in_use_max);

  BalanceMethod method_;
  uint32_t turn_ = 0;  // The lowest node number whose turn it is.
};

/// The position that a read must be able to see (D16), on the snapshot's timeline: a token of an
/// older timeline was translated or refused before (D20).
struct ReadFloor {
  Lsn lsn{};             // Lsn{0}: no floor.
  bool pending = false;  // A commit was acknowledged and its position is not sampled yet (D11).
};

/// A node that may serve the read with a lower floor than the others: it has shown the client
/// itself what must not be gone behind (D21 a).
struct SameNode {
  NodeIndex node{};
  ReadFloor floor{};
  Time opened_before{};  // Only servers that are older: no recovery lies in between (D7).
};

struct ReadNeeds {
  ReadFloor floor{};
  std::optional<SameNode> same_node = {};
  std::optional<Duration> max_lag = Duration{0};  // When the snapshot was decided; nullopt: any.
  bool primary_reads = false;  // The primary takes its share of reads; it needs no floor.
};

/// Why a read does not go to a replica at once. The router maps these to its closed list of
/// reasons.
enum class NoReplica : uint8_t {
  kSnapshotStale,   // The cluster was not looked at recently enough.
  kNoneUsable,      // No replica is up, of this cluster and on its timeline.
  kAllLag,          // All usable ones are further behind than max_lag, or nobody knows how far.
  kFloorPending,    // The floor is not known yet.
  kAllBehindFloor,  // None within max_lag has replayed up to the floor.
};
std::string_view to_string(NoReplica reason);

/// One of candidates[0, count) of the buffer that was passed in.
struct Eligible {
  size_t count = 0;
  bool operator==(const Eligible&) const = default;
};
/// Waiting up to freshness_wait can help: for the sample, or for `nearest` to replay `bytes` more.
struct WaitForFreshness {
  NoReplica reason{};
  std::optional<NodeIndex> nearest{};
  uint64_t bytes = 0;
  bool operator==(const WaitForFreshness&) const = default;
};
/// Waiting does not help: to the primary.
struct UsePrimary {
  NoReplica reason{};
  bool operator==(const UsePrimary&) const = default;
};
using Freshness = std::variant<Eligible, WaitForFreshness, UsePrimary>;

/// Whether one node may serve the read; nullopt when it may.
std::optional<NoReplica> why_not(const NodeStatus& node, NodeIndex index, const ReadNeeds& needs);

/// Fills `candidates` with the eligible nodes. `in_use` and `candidates` have one element per node.
Freshness find_eligible(const ClusterSnapshot& snapshot, const ReadNeeds& needs,
                        std::span<const uint32_t> in_use, Time now,
                        std::span<Candidate> candidates);

}  // namespace fairlead::core
