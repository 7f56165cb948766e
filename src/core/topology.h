// Who is the primary, who may serve reads, and why the others may not.
//
// Pure: the prober asks the nodes and calls decide() with what is known; the answer is an immutable
// snapshot for all workers. It keeps what must outlive one look at the nodes: the epoch, who was
// primary on which timeline, the cluster's system identifier, and each node's incarnation. Nodes
// are remembered by name, so the list may change between two calls (reload).
//
// The rule is positive evidence (E1, E2). A node that cannot be proven to be the primary gets no
// write: no primary and an alarm are a correct answer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/lsn.h"
#include "base/time.h"
#include "core/lag.h"
#include "core/node_health.h"
#include "core/node_index.h"
#include "core/topology_history.h"

namespace fairlead::core {

/// What one probe of one node learnt, all of it in one statement (plus the timeline and its
/// history, which come from IDENTIFY_SYSTEM and TIMELINE_HISTORY; pg_control_checkpoint() lags
/// behind, D20).
struct NodeObservation {
  bool in_recovery = true;
  uint32_t timeline = 0;
  uint64_t system_identifier = 0;
  Lsn insert_lsn{};   // Primary only.
  Lsn flush_lsn{};    // Primary only.
  Lsn receive_lsn{};  // Replica only.
  Lsn replay_lsn{};   // Replica only.
  int64_t postmaster_started_us =
      0;                        // The server's own clock; only ever compared for equality (D7).
  uint32_t server_version = 0;  // As server_version_num: 150020.
  Time observed_started_at{};   // Before the statement was sent.
  Time observed_at{};           // After its answer was read.
  std::optional<TimelineHistory> history{};  // nullopt: not known.

  bool operator==(const NodeObservation&) const = default;
};

/// What a cluster manager (Patroni) says of a node. It is half of the evidence; the other half is
/// the node's own answer (E1).
enum class ManagerWord : uint8_t { kNone, kLeader, kNotLeader };

/// What is known of one node at the moment of the decision.
struct NodeView {
  std::string_view name;  // host:port, unique.
  NodeState state = NodeState::kDown;
  std::string_view health_reason;
  const NodeObservation* last = nullptr;  // The latest answer, however old; null: none yet.
  ManagerWord manager = ManagerWord::kNone;
};

enum class NodeRole : uint8_t {
  kUnknown,  // It has not answered yet.
  kPrimary,
  kReplica,
  kRefused,  // It accepts writes and is not the primary, or belongs to another cluster.
};
std::string_view to_string(NodeRole role);

struct NodeStatus {
  std::string name;
  NodeRole role = NodeRole::kUnknown;
  NodeState state = NodeState::kDown;
  uint32_t timeline = 0;
  uint32_t server_version = 0;
  /// Replica: replayed. Primary: flushed. A lower bound from `observed_started_at` on. It holds for
  /// a server only if that server was opened before `observed_started_at` or has confirmed it
  /// itself (D16 b).
  Lsn replay_lsn{};
  Lsn receive_lsn{};
  Time observed_started_at{};
  Time observed_at{};
  /// Goes up when the node restarted or its replay went backwards: positions seen before are void
  /// (D7).
  uint32_t incarnation = 0;
  Lag lag{};
  bool usable_for_reads = false;
  std::string reason;  // Why it is not usable for reads; empty when it is.
};

/// Never changed after it was made.
struct ClusterSnapshot {
  Time decided_at{};
  /// Goes up whenever the primary becomes another one, restarts, or is fenced (E3). Servers of an
  /// older epoch are closed.
  uint64_t epoch = 0;
  std::optional<NodeIndex> primary;
  uint32_t timeline = 0;           // The one to follow: the primary's, or the last primary's.
  uint64_t system_identifier = 0;  // 0: not known yet.
  std::string alarm;              // Why there is no primary, and other news for a person; or empty.
  std::vector<NodeStatus> nodes;  // In the order of the views.

  const NodeStatus& node(NodeIndex index) const { return nodes[static_cast<size_t>(index)]; }
};

struct TopologyConfig {
  uint64_t system_identifier = 0;  // 0: learn it from the first primary.
  bool managed = false;            // Patroni: its word is needed too.
  /// An answer older than this is no evidence. Above the prober's silent_to_down * interval +
  /// deadlines, so that health decides first.
  Duration observation_age_max = std::chrono::seconds(15);
};

class Topology {
 public:
  explicit Topology(TopologyConfig config = {}) : config_(config) {}

  ClusterSnapshot decide(std::span<const NodeView> views, Time now);

 private:
  struct NodeMemory {
    std::string name;
    uint32_t incarnation = 0;
    int64_t postmaster_started_us = 0;
    uint32_t timeline = 0;
    Lsn replay_lsn{};
    Time observed_at{};
    bool was_primary = false;
    /// Timelines that this node followed as a replica since its postmaster started: having watched
    /// it being promoted proves descent even without the history file.
    std::vector<uint32_t> followed;
  };
  struct Primary {
    std::string name;
    uint32_t timeline = 0;
    int64_t postmaster_started_us = 0;
    bool operator==(const Primary&) const = default;
  };
  struct Verdict {
    std::optional<size_t> primary;
    bool contradiction = false;  // Nodes claim what cannot be true together: fence.
    std::string alarm;
  };

  void remember(const NodeView& view);
  NodeMemory& memory_of(std::string_view name);
  const NodeMemory* find_memory(std::string_view name) const;
  bool is_evidence(const NodeView& view, Time now) const;
  bool same_system(const NodeObservation& seen) const;
  std::string learn_system(std::span<const NodeView> views, Time now);
  Verdict find_primary(std::span<const NodeView> views, Time now) const;
  Verdict newest_claim(std::span<const NodeView> views, const std::vector<size_t>& claims) const;
  Verdict check_against_past(std::span<const NodeView> views, size_t claim, Time now) const;
  bool descends(const NodeView& node, uint32_t ancestor) const;
  bool manager_agrees(const NodeView& view) const;
  void install(std::span<const NodeView> views, const Verdict& verdict);
  NodeStatus status_of(const NodeView& view, bool is_primary, Time now) const;
  std::string why_no_reads(const NodeView& view, NodeRole role, Time now) const;

  TopologyConfig config_;
  std::vector<NodeMemory> memories_;
  std::optional<Primary> last_primary_;  // Forgotten when it is fenced.
  std::string timeline_owner_;           // Who was primary on `timeline_`.
  uint32_t timeline_ = 0;                // Highest timeline that any accepted primary had.
  uint64_t epoch_ = 0;
  LagClock lag_clock_;
  bool has_primary_ = false;
};

}  // namespace fairlead::core
