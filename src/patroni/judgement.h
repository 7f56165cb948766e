// What of all that several Patronis say is to be believed: which nodes there are, and who leads.
//
// Pure. A member tells what its store says, and when it last heard the store: so the word of one
// that is cut off grows old by itself, however quickly it answers (E33). The rules:
//
//   - A word is believed for `ttl` after the store was heard, Patroni's own bound for the lock.
//   - Words that are equally new must agree, or more than half of them: else nobody leads.
//   - "The lock is free" is a word, too: nobody leads. While Patroni is paused, or its failsafe is
//     active, a free lock says nothing, and a primary that goes on unchanged may (E8).
//   - A node leaves the list when no word that is new names it, never because nobody answers.
//
// That the node named is the primary is for the node itself to confirm (core/topology.h, E1).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "core/topology.h"
#include "patroni/answers.h"

namespace fairlead::patroni {

/// The newest that one REST address has said.
struct Report {
  std::string url = {};
  std::optional<Error> trouble = {};  // Why one of the last questions was not answered.
  // GET /cluster, nullopt before the first good answer. Times are ours; the date is the answer's.
  std::optional<ClusterAnswer> cluster = {};
  Time cluster_asked_at{};
  std::optional<int64_t> cluster_date_s = {};
  // GET /patroni, asked afterwards, so that it tells how old the other one is.
  std::optional<StatusAnswer> status = {};
  Time status_asked_at{};
  std::optional<int64_t> status_date_s = {};
  std::optional<core::TimelineHistory> history = {};
};

struct JudgeConfig {
  Duration ttl = std::chrono::seconds(30);
  std::string scope = {};  // Empty: that of the first address that says one.
};

struct ManagedNode {
  std::string member = {};  // Patroni's name for it.
  config::NodeAddress address;
  bool noloadbalance = false;
  bool operator==(const ManagedNode&) const = default;
};

/// Something for a person to look at.
struct Trouble {
  std::string about = {};  // An address; empty: all of them together.
  Error error = {};        // May have ages in it that change from look to look.

  std::string text() const;
};

struct Judgement {
  /// In the order of their names. Empty: nobody has said anything new; keep what was.
  std::vector<ManagedNode> nodes = {};
  bool speaks = false;  // Somebody's word is new enough to say who leads.
  /// The leader's host:port; empty while it speaks: nobody leads.
  std::string leader = {};
  bool paused = false;
  std::optional<Time> switchover_at = {};  // Scheduled, by our clock.
  std::optional<core::TimelineHistory> history = {};
  std::vector<Trouble> troubles = {};

  core::ManagerWord word_on(std::string_view node) const;

  /// The history of a node on that timeline (D20); null: Patroni's is that of another one. It is of
  /// the timeline after its last line.
  const core::TimelineHistory* history_of(uint32_t timeline) const;

  /// The primary is about to be changed as planned: nothing new should begin there, or it would be
  /// cut off (E26). It ends when the plan is gone or carried out, and in any case soon after its
  /// time.
  bool holds_writes(Time now) const;
};

Judgement judge(std::span<const Report> reports, const JudgeConfig& config, Time now);

/// When the member that made the report had last heard its store, by our clock and at the latest;
/// nullopt: never, or it does not say.
std::optional<Time> heard_at(const Report& report);

}  // namespace fairlead::patroni
