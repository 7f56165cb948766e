// What a cluster really is, beside what Fairlead believes of it: which commits each node has at
// each moment, on which timeline, and what it would say of itself.
//
// WAL is one number a timeline; a commit is a place in it. A replica receives what the primary has
// flushed, applies it some time later, and says so later still (D1). A restart takes it back (D7),
// a promotion begins a timeline where its own WAL ends (D20), a crash of a primary forgets what was
// not flushed (D14). Pure; whoever uses it decides what happens.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/lsn.h"
#include "core/topology.h"
#include "core/topology_history.h"

namespace fairlead::sim {

inline constexpr size_t kCommitsMax = 128;
using CommitSet = std::bitset<kCommitsMax>;

/// Two tables, a view that shows one of them, and which of them it is.
enum class Table : uint8_t { kFirst, kSecond, kSchema };

struct Commit {
  uint32_t timeline = 0;
  Lsn at{};  // Its end.
  Table table{};
  bool visible = false;  // On the primary that made it, which is later than in its WAL (D8).
  bool forgotten = false;
};

struct TrueNode {
  bool up = true;
  bool hangs = false;  // It does not answer; what it was told it may still do.
  bool in_recovery = true;
  uint32_t timeline = 1;
  uint64_t life = 1;  // Its postmaster; connections end with it.
  Lsn inserted{};     // Of a primary …
  Lsn flushed{};
  Lsn received{};  // … and of a replica: on its disk, visible there, and what it answers.
  Lsn applied{};
  Lsn reported{};
  Lsn consistent{};  // From where it opens after a crash.
};

class ClusterTruth {
 public:
  explicit ClusterTruth(size_t nodes);

  const TrueNode& node(size_t index) const { return nodes_[index]; }
  size_t nodes() const { return nodes_.size(); }
  /// The last one that was promoted.
  size_t head() const { return head_; }
  bool is_full() const { return commits_.size() == kCommitsMax; }
  const Commit& commit(size_t index) const { return commits_[index]; }
  size_t commits() const { return commits_.size(); }

  /// A transaction of a primary writes its commit; nobody sees it yet.
  size_t write(size_t node, Table table);
  void insert_other_wal(size_t node, uint64_t bytes);
  void flush(size_t node);
  /// False: the node has crashed meanwhile, and its outcome is what is_on() says.
  bool make_visible(size_t node, uint64_t life, size_t commit);

  void stream(size_t replica, size_t from, uint64_t bytes);
  void apply(size_t replica, uint64_t bytes);
  void report(size_t replica) { nodes_[replica].reported = nodes_[replica].applied; }
  void checkpoint(size_t replica) { nodes_[replica].consistent = nodes_[replica].applied; }

  void set_up(size_t node, bool up);
  void set_hanging(size_t node, bool hangs) { nodes_[node].hangs = hangs; }
  void restart(size_t node);
  void promote(size_t replica);
  /// pg_rewind, or a new copy: a replica of the head.
  void rejoin(size_t node);

  /// Whether a timeline has that commit, once all of its WAL is replayed.
  bool is_on(uint32_t timeline, size_t commit) const;
  bool has(uint32_t timeline, uint32_t of_token, Lsn position) const;
  /// What a snapshot on that node sees now.
  CommitSet shown_by(size_t node) const;
  /// Everything that a snapshot on some primary has been able to see so far.
  CommitSet visible_anywhere() const;
  CommitSet of_table(Table table) const;

  /// What a probe that asks now is told.
  core::NodeObservation observe(size_t node) const;

 private:
  bool shows(const TrueNode& node, size_t commit) const;

  std::vector<TrueNode> nodes_;
  std::vector<core::TimelineHistory> histories_;  // By timeline - 1.
  std::vector<Commit> commits_;
  size_t head_ = 0;
};

}  // namespace fairlead::sim
