// One Fairlead through the failovers of its cluster: probes, promotions, deaths, cut networks,
// pauses, old primaries that come back; two workers, which learn of everything in their own time,
// and a client on each.
//
// The decisions are the real ones: core/topology, node_health, snapshot_gate, node_choice, lease
// and failover_table. What is concurrent in the program is an event here, and whoever runs the
// world says which one is next. Pure, and a value: a copy goes on by itself.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/failover_table.h"
#include "core/lease.h"
#include "core/node_choice.h"
#include "core/node_health.h"
#include "core/snapshot_gate.h"

namespace fairlead::sim {

enum class FailoverEvent : uint8_t {
  kProbe,    // Of a node; its answer, or that it gives none.
  kKill,     // A node.
  kStart,    // A dead node, as what it was.
  kRejoin,   // A node that is not the newest primary, as a replica of that one.
  kPromote,  // A replica, whatever the primary does.
  kCut,      // A node's network: it lives, and nobody hears of it.
  kMend,
  kHold,     // The newest primary asks for a pause …
  kRelease,  // … and not any more.
  kDeliver,  // What was published, to a worker.
  kTaken,    // A worker's word that it has taken it, to the control thread.
  kAsk,      // A client's next statement; or what it waits for is tried again.
  kGrant,    // The server that was opened for a client has come.
  kGiveUp,   // A client has waited for failover_hold.
  kExecute,  // A client's statement, on its server.
  kAnswer,   // The server's answer reaches Fairlead.
};

struct FailoverStep {
  FailoverEvent event{};
  size_t who = 0;  // A node, a worker or a client.
};

class FailoverWorld {
 public:
  explicit FailoverWorld(size_t nodes);

  /// What can happen now.
  std::vector<FailoverStep> possible() const;
  bool can(FailoverStep step) const;
  void apply(FailoverStep step);
  /// Everything that was broken is mended, and all comes to rest: whoever waits is served.
  void rest();

  /// Empty: all is well; else which promise was broken, for people.
  const std::string& blame() const { return blame_; }
  /// What has happened, one event a word.
  const std::string& story() const { return story_; }

  size_t failovers() const { return abandoned_.size(); }
  size_t unknown() const { return unknown_; }
  size_t waited() const { return waited_; }

 private:
  struct Node {
    std::string name;
    core::NodeObservation truth;
    core::NodeObservation seen;
    core::NodeHealth health;
    bool has_answered = false;
    bool alive = true;
    bool cut = false;
  };
  /// A node as the primary of one timeline.
  using Writer = std::pair<size_t, uint32_t>;
  struct Server {
    core::NodeIndex node{};
    uint64_t epoch = 0;
    bool in_recovery = false;
    int64_t started_us = 0;
    Writer writer{};
  };
  enum class Stage : uint8_t { kIdle, kWaiting, kOpening, kSent, kExecuted, kInTransaction };
  struct Client {
    Stage stage = Stage::kIdle;
    std::optional<Server> server;
    core::NodeChoice choice{};
    bool in_transaction = false;  // The statement under way is its COMMIT.
    bool lost_transaction = false;
    size_t asked = 0;
    size_t answered = 0;
    size_t succeeded = 0;
  };
  struct Worker {
    std::deque<core::SnapshotGate::Publication> mail;
    core::SnapshotGate::Snapshot snapshot;
  };

  Node& node(size_t index) { return nodes_[index]; }
  bool hears(const Node& node) const { return node.alive && !node.cut; }
  bool lives(const Server& server) const;
  void hear_of_deaths(size_t index);
  void apply_to_node(FailoverStep step);
  void apply_to_client(FailoverStep step);

  void probe(Node& node);
  void decide();
  void publish(const core::SnapshotGate::Publication& publication);
  void deliver(size_t worker);
  void taken();

  void kill(size_t index);
  void promote(size_t index);
  void rejoin(size_t index);

  void ask(size_t index);
  void choose(size_t index);
  void grant(size_t index);
  void give_up(size_t index);
  void answer(size_t index);
  void send(size_t index);
  void lose(Client& client);
  void end(Client& client);
  void on_snapshot(size_t worker);
  core::ServerState as_state(const Server& server) const;
  void go_round();
  bool is_at_rest() const;
  void blame(std::string what);

  std::vector<Node> nodes_;
  size_t head_ = 0;  // The last node that was promoted.
  int64_t postmasters_ = 0;
  core::Topology topology_;
  core::SnapshotGate gate_;
  std::vector<Worker> workers_;
  std::deque<std::pair<size_t, uint64_t>> taken_;  // Worker and number, on their way.
  std::vector<Client> clients_;
  Time now_{std::chrono::seconds(1000)};

  std::optional<Writer> writer_;  // Who was sent the last write.
  std::set<Writer> abandoned_;    // Who was sent one before it.
  std::map<uint64_t, size_t> writer_of_epoch_;
  size_t unknown_ = 0;
  size_t waited_ = 0;
  std::string blame_;
  std::string story_;
};

}  // namespace fairlead::sim
