// What Patroni's REST API answers, as plain values: GET /cluster, /patroni and /history (E31, E32).
//
// Pure, and strict where it counts: an answer that is cut off, or has a member, a role or a lock in
// a form that is not known, is an error and never half a list. What Fairlead does not need, such as
// positions and lags ("unknown" or a number), is not looked at: an answer of the REST API is as old
// as Patroni's last look at its store, and is for discovery only (E33).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/units.h"
#include "core/topology_history.h"

namespace fairlead::patroni {

/// An answer is refused above this, unread: a cluster of a hundred members needs 50 KiB.
inline constexpr size_t kAnswerMax = size_t{1} << 20;
/// Members of one cluster; more is no PostgreSQL cluster.
inline constexpr size_t kMembersMax = 500;

struct Member {
  std::string name = {};
  bool is_leader = false;  // Holds the lock, and is no standby cluster's leader.
  std::string state = {};  // "running", "streaming", "stopped" …: for people.
  /// Where its PostgreSQL listens; nullopt as long as it has not said so.
  std::optional<config::NodeAddress> address = {};
  bool noloadbalance = false;
  bool nofailover = false;

  bool operator==(const Member&) const = default;
};

/// A change of the leader that somebody has asked for in advance.
struct ScheduledSwitchover {
  int64_t at_s = 0;       // Unix time.
  std::string from = {};  // Names of members; empty: not said.
  std::string to = {};

  bool operator==(const ScheduledSwitchover&) const = default;
};

/// GET /cluster.
struct ClusterAnswer {
  std::vector<Member> members = {};
  std::string scope = {};  // Empty: older than 3.2 or so, which do not say it.
  bool paused = false;
  std::optional<ScheduledSwitchover> switchover = {};

  const Member* leader() const;

  bool operator==(const ClusterAnswer&) const = default;
};

/// GET /patroni, of the member that was asked.
struct StatusAnswer {
  std::string state = {};
  bool is_primary = false;  // By its own word: role "primary", or "master" as it was.
  bool cluster_unlocked = false;
  bool failsafe_active = false;
  bool paused = false;
  /// When it last heard from its store, Unix time by its own clock; nullopt: never, or it does not
  /// say.
  std::optional<int64_t> dcs_last_seen_s = {};
  uint64_t system_identifier = 0;  // 0: not known yet.
  std::string scope = {};
  std::string version = {};

  bool operator==(const StatusAnswer&) const = default;
};

// Errors are kProtocolViolation, and say which answer, and what in it was not as expected.
Result<ClusterAnswer> parse_cluster(std::string_view body);
Result<StatusAnswer> parse_status(std::string_view body);

/// GET /history: where each timeline before the present one was left (D20). nullopt: it does not
/// begin with timeline 1, because Patroni was told to keep only the end of it
/// (max_timelines_history): then it proves nothing about what is not in it.
Result<std::optional<core::TimelineHistory>> parse_history(std::string_view body);

}  // namespace fairlead::patroni
