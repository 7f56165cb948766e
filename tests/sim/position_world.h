// Random lives of a cluster, of what Fairlead knows of it, and of sessions that read and write
// through it. Each answer is compared with what the session's level promises of it, which
// ClusterTruth knows.
//
// What no level can promise is told apart, and counted:
//   lost       the commit is not on the timeline that followed (D20); a session is not told so yet
//              (E24)
//   early      a replica has shown it before the primary does (D8, D22)
//   unaccepted it is on a timeline that this worker has not heard of yet, while an old primary goes
//              on (E1)
#pragma once

#include <map>
#include <string>

#include "sim/position_fairlead.h"

namespace fairlead::sim {

struct PositionWorldConfig {
  uint32_t replicas = 2;
  uint32_t sessions = 5;
  bool with_failures = true;        // Restarts, crashes, hangs, lost answers.
  bool with_promotions = true;      // Of a replica, once the primary is down.
  bool with_old_primaries = false;  // That go on, or come back, on their timeline.
};

struct PositionCounts {
  uint64_t reads = 0, on_replicas = 0, writes = 0, waits = 0, too_new = 0;
  uint64_t token_reads = 0, tokens_refused = 0, tokens_lost = 0;
  uint64_t promotions = 0, unknown_outcomes = 0, refusals = 0;
  uint64_t lost = 0, early = 0, unaccepted = 0;

  void add(const PositionCounts& other);
};

/// A token as its owner may hand it on, and what it stands for.
struct HandedToken {
  sql::FloorToken token;
  CommitSet must;
};

class PositionWorld {
 public:
  PositionWorld(uint64_t seed, PositionWorldConfig config);
  ~PositionWorld();

  void step();
  void rest();  // Nothing fails any more: everybody must get an answer.
  /// The first thing that was wrong; empty if nothing was.
  const std::string& failure() const { return failure_; }
  const PositionCounts& counts() const { return counts_; }

 private:
  class Client;

  void blame(std::string what);
  void advance_clock();
  void let_nodes_work();
  void let_nodes_fail();
  void fail_node(size_t node);
  void promote_somebody();
  void let_others_write();
  void let_prober_work(bool in_time);
  void end_probe(size_t node, bool in_time);
  void deliver(SimWorker& worker);
  void load_catalog();
  void check_waiters(const SimWorker& worker);
  Table shown_by_view(const CommitSet& visible) const;
  CommitSet told(uint32_t level, Table read) const;
  void check_read(Client& client, const CommitSet& shown);

  PositionWorldConfig config_;
  SimFairlead fairlead_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<HandedToken> tokens_;
  CommitSet acknowledged_;  // Through Fairlead.
  CommitSet committed_;     // By anybody: what a snapshot of some primary could see.
  std::optional<Time> catalog_asked_at_;
  uint64_t generations_ = 1;
  bool calm_ = false;
  uint64_t steps_ = 0;
  PositionCounts counts_;
  std::string failure_;
};

}  // namespace fairlead::sim
