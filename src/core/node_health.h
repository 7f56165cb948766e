// Whether one node answers: up, suspect or down, with the reason in words. Fed with the results of
// probes, which connect, log in and query on the same path as clients (E7).
//
// It says nothing about roles, lag or freshness: that is topology.h. A node that answers may still
// be refused there.
//
// Pure; one per node, owned by the cluster's prober.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace fairlead::core {

enum class NodeState : uint8_t { kUp, kSuspect, kDown };
std::string_view to_string(NodeState state);

enum class ProbeResult : uint8_t {
  kOk,           // Logged in and answered within the deadline.
  kRefused,      // The operating system refused the connection: nobody listens.
  kTimeout,      // No answer within the deadline: a dead link, a stopped or overloaded server.
  kNotAsked,     // There was nothing to ask it with: no file left for a socket, no address known.
  kStarting,     // 57P03: it says itself that it starts, shuts down or is not yet consistent.
  kAuthFailed,   // It is alive and does not let the monitoring user in.
  kWrongSystem,  // It is another cluster's: its system identifier differs.
  kOtherError,   // Anything else, such as 53300; see the detail.
};
std::string_view to_string(ProbeResult result);

struct HealthConfig {
  // Consecutive failures until down (E7). Silence may be a lost packet, so it takes more of it than
  // of refusals, which are an answer.
  uint32_t silent_to_down = 3;
  uint32_t refused_to_down = 2;
  // Consecutive good answers until a node that was down is up again.
  uint32_t good_to_up = 2;
  // A replica that was up for less than `flap_window` before it went down must answer well for
  // `flap_hold` before it is up again. Others can stand in for it; for a primary nobody can, and
  // writes wait for it.
  Duration flap_window = std::chrono::seconds(30);
  Duration flap_hold = std::chrono::seconds(5);
  Duration probe_interval = std::chrono::seconds(1);
  // While suspect, and while good answers are being counted.
  Duration probe_interval_unsure = std::chrono::milliseconds(200);
};

struct HealthChange {
  NodeState from;
  NodeState to;
  bool operator==(const HealthChange&) const = default;
};

class NodeHealth {
 public:
  explicit NodeHealth(HealthConfig config = {}) : config_(config) {}

  /// `detail` is the error as it was seen, for people; it may be empty. `in_recovery`: as the node
  /// has answered. Returns the change of state, if there was one.
  std::optional<HealthChange> on_probe(ProbeResult result, std::string_view detail, Time now,
                                       bool in_recovery = true);

  /// A client's server to this node was lost or could not be opened. Makes an up node suspect, so
  /// that it is probed at once; never takes it down, because one session's trouble is not the
  /// node's.
  std::optional<HealthChange> on_trouble(std::string_view detail, Time now);

  NodeState state() const { return state_; }
  Time since() const { return since_; }  // Of the last change; Time{} before the first probe.
  const std::string& reason() const { return reason_; }  // Empty while up.
  Duration next_probe_after() const;

 private:
  std::optional<HealthChange> on_good(Time now, bool in_recovery);
  std::optional<HealthChange> on_failure(ProbeResult result, Time now);
  std::optional<HealthChange> move_to(NodeState to, Time now);
  bool is_enough(ProbeResult result) const;

  HealthConfig config_;
  NodeState state_ = NodeState::kDown;  // Nothing is up before it has answered.
  Time since_{};
  std::string reason_ = "not reached yet";
  uint32_t failures_ = 0;  // In a row.
  uint32_t refusals_ = 0;  // Of these, the last ones in a row that were refusals.
  uint32_t good_ = 0;      // Good answers in a row.
  Time good_since_{};
  Time up_since_{};
  bool ever_up_ = false;
  bool flapped_ = false;
};

}  // namespace fairlead::core
