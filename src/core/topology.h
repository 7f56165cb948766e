// Who is the primary, who may serve reads, and why the others may not.
//
// Pure: the prober asks the nodes and calls decide() with what is known; the answer is an immutable
// snapshot for all workers. It keeps what must outlive one look at the nodes: the epoch, who was
// primary on which timeline, the cluster's system identifier, and each node's incarnation. Nodes
// are remembered by name, so the list may change between two calls (reload). The primary may change
// its name with it, as long as it is the same process.
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
  /// Primary only: where it left the timeline that it followed as a replica. 0: it was not promoted
  /// since it started.
  Lsn promoted_at{};
  int64_t postmaster_started_us =
      0;                        // The server's own clock; only ever compared for equality (D7).
  uint32_t server_version = 0;  // As server_version_num: 150020.
  bool holds_writes = false;    // Its configuration asks for a pause: a switchover is under way.
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
  std::string_view host{};
  uint16_t port = 0;
  NodeState state = NodeState::kDown;
  std::string_view health_reason{};
  const NodeObservation* last = nullptr;  // The latest answer, however old; null: none yet.
  ManagerWord manager = ManagerWord::kNone;
  std::string_view
      kept_from_reads{};  // Why the manager wants no reads there; empty: it may have them.
  bool gone = false;      // It is not in the list of nodes any more.
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
  std::string host;  // Where to connect to.
  uint16_t port = 0;
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
  int64_t postmaster_started_us = 0;  // As in NodeObservation; 0: not known.
  Lag lag{};
  bool usable_for_reads = false;
  bool silent = false;  // The prober has waited for its answer for too long.
  bool gone = false;    // Not in the list of nodes any more: only its number is kept.
  std::string reason;   // Why it is not usable for reads; empty when it is.

  /// Whoever waits for it had better go elsewhere. A node that is only suspect may be fine: one
  /// session's trouble is not the node's.
  bool is_unresponsive() const { return state == NodeState::kDown || silent; }
};

/// Every transaction that was acknowledged before `sampled_at` has written its WAL before `lsn`,
/// the primary's insert position (D14: what was committed asynchronously is in it, too).
struct PrimaryPosition {
  Lsn lsn{};
  Time sampled_at{};
};

/// One primary took the place of another one that was on an older timeline (D20, E24).
struct Succession {
  uint64_t epoch = 0;     // The new primary's first.
  uint32_t timeline = 0;  // The old one's, of which …
  Lsn left_at{};  // … the new one has nothing above this; 0: nobody knows where it was left.
  /// Everything that the old one acknowledged before this lies below `left_at`, so it is kept. What
  /// was acknowledged later may be kept or lost. Time{}: nothing is known to be kept.
  Time kept_until{};
};

/// Never changed after it was made.
struct ClusterSnapshot {
  Time decided_at{};
  /// Older than this, it may name a fenced primary or a replica that has restarted.
  Duration age_max = std::chrono::seconds(2);
  /// Goes up whenever the primary becomes another one, restarts, or is fenced (E3). Servers of an
  /// older epoch are closed.
  uint64_t epoch = 0;
  std::optional<NodeIndex> primary;
  /// The primary asks for a pause: nothing new may begin there until it says otherwise, or another
  /// node is the primary (E26).
  bool holds_writes = false;
  PrimaryPosition position;   // Of the primary, or of the last one as long as there is none.
  PositionSamples positions;  // The same and what came before it: for floors.
  uint32_t timeline = 0;      // The one to follow: the primary's, or the last primary's.
  std::optional<TimelineHistory> history;  // Of the primary, as far as known: for tokens (D20).
  std::vector<Succession> successions;     // The last ones, oldest first.
  uint64_t system_identifier = 0;          // 0: not known yet.
  std::string manager_trouble;             // What is wrong with the cluster's manager; or empty.
  std::string alarm;              // Why there is no primary, and other news for a person; or empty.
  std::vector<NodeStatus> nodes;  // In the order of the views.

  const NodeStatus& node(NodeIndex index) const { return nodes[static_cast<size_t>(index)]; }

  /// Whether something new may begin on the primary.
  bool takes_writes() const { return primary && !holds_writes; }

  /// For whoever asks for the primary while there is none: the alarm, and what is wrong with each
  /// node that is not up, and with the manager. Not for the log, where each change of a reason
  /// would be news.
  std::string why_no_primary() const;

  /// Above which position the writes may be lost that a session has made, the last one of them
  /// acknowledged at `wrote_at` by a primary of `since_epoch`; nullopt: nothing of them is (E24).
  std::optional<Lsn> lost_above(Time wrote_at, uint64_t since_epoch) const;
};

struct TopologyConfig {
  uint64_t system_identifier = 0;  // 0: learn it from the first primary.
  bool managed = false;            // Patroni: its word is needed too.
  /// While the manager is silent, a primary goes on that answers and has not changed; not one that
  /// was out of sight for so long: somebody else may have been promoted since (E8).
  Duration manager_ttl = std::chrono::seconds(30);
  /// An answer older than this is no evidence. Above the time in which the prober gives up a silent
  /// node, so that health decides first.
  Duration observation_age_max = std::chrono::seconds(15);
  /// Of the snapshots. Above the time between two of them.
  Duration snapshot_age_max = std::chrono::seconds(2);
};

class Topology {
 public:
  explicit Topology(TopologyConfig config = {});

  /// Call it first when every node has been probed once: the first primary decides which cluster
  /// this is.
  ClusterSnapshot decide(std::span<const NodeView> views, Time now);

 private:
  struct NodeMemory {
    std::string name;
    uint32_t incarnation = 0;
    int64_t postmaster_started_us = 0;
    Lsn replay_lsn{};
    Time observed_at{};
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
    std::string alarm;
  };
  enum class Descent : uint8_t { kYes, kNo, kUnknown };

  void remember(const NodeView& view);
  void forget_others(std::span<const NodeView> views);
  NodeMemory& memory_of(std::string_view name);
  const NodeMemory* find_memory(std::string_view name) const;
  void find_system(std::span<const NodeView> views, Time now);
  bool is_evidence(const NodeView& view, Time now) const;
  bool is_claim(const NodeView& view, Time now) const;
  bool manager_agrees(const NodeView& view, Time now) const;
  Descent descent(const NodeView& node, uint32_t ancestor) const;

  Verdict find_primary(std::span<const NodeView> views, Time now) const;
  Verdict newest_claim(std::span<const NodeView> views, std::span<const size_t> claims) const;
  bool is_renamed(std::span<const NodeView> views, const NodeView& claim) const;
  std::string why_outdated(std::span<const NodeView> views, const NodeView& claim, Time now) const;
  void install(std::span<const NodeView> views, std::optional<size_t> primary, Time now);
  Lsn left_at(const NodeView& successor) const;
  void note_succession(const NodeView& successor);

  NodeStatus status_of(const NodeView& view, bool is_primary, Time now) const;
  NodeRole role_of(const NodeView& view, bool is_primary, Time now) const;
  std::string why_no_reads(const NodeView& view, NodeRole role, Time now) const;
  std::string why_refused(const NodeObservation& seen) const;

  TopologyConfig config_;
  std::vector<NodeMemory> memories_;
  std::optional<Primary> last_primary_;  // Whom servers of epoch_ belong to; none once fenced.
  std::string timeline_owner_;           // Who was primary on timeline_.
  uint32_t timeline_ = 0;                // The highest that any accepted primary had.
  uint32_t timeline_seen_ = 0;           // The highest that this look at the nodes showed.
  uint64_t system_ = 0;                  // This cluster's system identifier; 0: not known.
  bool system_is_proven_ = false;        // Configured, or that of an accepted primary.
  uint64_t epoch_ = 0;
  bool has_primary_ = false;
  Time primary_proven_at_{};  // The last time that there was one.
  LagClock lag_clock_;
  PositionSamples positions_;
  PrimaryPosition position_;
  std::vector<Succession> successions_;
  TimelineHistory lineage_;  // As far as it was watched.
};

}  // namespace fairlead::core
