// One Fairlead in front of a ClusterTruth: its prober, its workers with their servers, and the
// sessions' way to a server, driven as src/proxy drives it. Every decision is the real one of
// src/core; what takes time there is a step here, which its owner takes when it likes.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "core/database_activity.h"
#include "core/node_choice.h"
#include "core/position_waiters.h"
#include "core/server_state.h"
#include "sim/pool_world.h"  // Dice
#include "sim/position_truth.h"

namespace fairlead::sim {

using SnapshotPtr = std::shared_ptr<const core::ClusterSnapshot>;
using CatalogPtr = std::shared_ptr<const sql::FunctionCatalog>;

/// What the clients of the simulation say; each text is classified once.
struct Statement {
  explicit Statement(std::string_view text);
  core::RequestPlan plan;
};
const Statement& read_of_table(Table table);  // kSchema: the view.
const Statement& write_to(Table table);       // kSchema: it makes the view show the other table.

/// The database's tables, as they were when the view showed `shown`.
CatalogPtr catalog_of(Table shown, uint64_t generation, Time as_of);

/// Asks the nodes, one question for each at a time, as proxy/monitor does.
class SimMonitor {
 public:
  explicit SimMonitor(const ClusterTruth& truth);

  void want_positions();
  bool is_due(size_t node, Time now) const;
  void ask(size_t node, Time now);
  /// The node answers; the answer is on its way.
  void answer(size_t node);
  bool is_asking(size_t node) const { return probes_[node].asking; }
  bool is_answered(size_t node) const { return probes_[node].answer.has_value(); }
  /// The answer arrives, or the deadline does. Null: not every node was asked yet.
  SnapshotPtr end(size_t node, Time now, bool in_time);

 private:
  struct Probe {
    bool asking = false;
    bool wanted = true;
    bool ended_once = false;
    Time started_at{};
    std::optional<core::NodeObservation> answer;  // Of the question under way.
    std::optional<core::NodeObservation> last;
    core::ProbeResult result = core::ProbeResult::kTimeout;
    core::NodeHealth health;
    std::string name;
  };

  SnapshotPtr decide(Time now);

  const ClusterTruth& truth_;
  std::vector<Probe> probes_;
  core::Topology topology_;
};

struct PositionServer {
  core::ServerState state;
  uint64_t life = 0;  // Of its node; afterwards it is dead.
};

class SimSession;

/// One worker: what it was told last, and its idle servers.
struct SimWorker {
  explicit SimWorker(size_t nodes, core::BalanceMethod method)
      : balancer(method), idle(nodes), in_use(nodes), scratch(nodes) {}

  uint32_t news_one_in = 1;  // How late it hears what the prober has found out.
  SnapshotPtr snapshot = std::make_shared<core::ClusterSnapshot>();
  CatalogPtr catalog;
  std::deque<SnapshotPtr> mail;
  std::deque<CatalogPtr> catalog_mail;
  core::PositionWaiters waiters;
  core::Balancer balancer;
  std::vector<std::vector<std::unique_ptr<PositionServer>>> idle;
  std::vector<uint32_t> in_use;
  std::vector<core::Candidate> scratch;
};

/// What is common to all sessions.
struct SimFairlead {
  SimFairlead(uint64_t seed, size_t nodes);

  Time now{std::chrono::seconds(1000)};
  Dice dice;
  ClusterTruth truth;
  SimMonitor monitor{truth};
  core::DatabaseActivity activity;
  core::ChoiceOptions options;
  std::vector<std::unique_ptr<SimWorker>> workers;
};

/// A client's session as far as its requests need servers: proxy/client_leases without sockets.
class SimSession : public core::PositionWaiter {
 public:
  enum class Phase : uint8_t {
    kIdle,
    kWaiting,  // For positions.
    kOpening,  // For a server of the chosen node.
    kSent,     // The statement is on its way to the server.
    kServed,   // It has run, and its answer is on its way.
  };

  SimSession(SimFairlead& fairlead, SimWorker& worker) : fairlead_(fairlead), worker_(worker) {}
  virtual ~SimSession() = default;

  Phase phase() const { return phase_; }
  SimWorker& worker() const { return worker_; }
  Time waits_until() const { return until_; }

  void begin(core::LeaseWish wish);
  /// kOpening: the server is open, or cannot be opened.
  void open();
  /// The worker was told that the node does not answer.
  void on_node_down(core::NodeIndex node);
  /// It has not looked at what its worker knows now.
  bool is_forgotten() const { return chosen_by_ != worker_.snapshot; }

  void on_positions() override { choose(true); }
  void on_positions_timeout() override { choose(false); }

 protected:
  virtual void on_refused(const Error& error) = 0;
  virtual void on_sent() = 0;
  virtual void on_too_new() = 0;
  virtual void on_lost() = 0;  // The server, and so what was sent to it.

  core::ReadHistory history() const;
  PositionServer& server() { return *server_; }
  bool is_server_alive() const;
  void lose_server();
  void finish(bool wrote);  // The request is answered; the server goes back.
  void wait_until(Time until);

  SimFairlead& fairlead_;
  SimWorker& worker_;
  Phase phase_ = Phase::kIdle;
  core::LeaseWish wish_;
  core::NodeChoice choice_;
  uint32_t chosen_on_timeline_ = 0;
  Time wished_at_{};
  Time wrote_at_{};
  core::LastAnswer answered_{};
  std::optional<core::NodeIndex> kept_;

 private:
  static constexpr uint32_t kAttemptsMax = 3;

  void choose(bool may_wait);
  bool wait(Duration patience);
  bool waits_for_primary();
  void grant(std::unique_ptr<PositionServer> server);
  void on_server_too_new();
  void on_no_server();
  void drop_choice(const core::NodeIndex node, core::Target target);

  std::unique_ptr<PositionServer> server_;
  SnapshotPtr chosen_by_;
  uint64_t opening_epoch_ = 0;
  uint32_t attempts_ = 0;
  Time until_{};
};

}  // namespace fairlead::sim
