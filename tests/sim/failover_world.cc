// FailoverWorld: the nodes, and what Fairlead's control thread makes of them. Clients are in
// failover_clients.cc.
#include "sim/failover_world.h"

#include <algorithm>

namespace fairlead::sim {

using core::ClusterSnapshot;
using core::NodeState;
using core::ProbeResult;
using Event = FailoverEvent;

namespace {

constexpr size_t kWorkers = 2;
// One failure says all here: when a node counts as down is node_health's own test.
constexpr core::HealthConfig kHealth{
    .silent_to_down = 1, .refused_to_down = 1, .good_to_up = 1, .flap_window = Duration::zero()};

constexpr std::array<std::string_view, 16> kWords{
    "probe", "kill",    "start", "rejoin", "promote", "cut",     "mend",    "hold",
    "free",  "deliver", "taken", "ask",    "grant",   "give-up", "execute", "answer"};

}  // namespace

FailoverWorld::FailoverWorld(size_t nodes)
    : gate_(kWorkers), workers_(kWorkers), clients_(kWorkers) {
  for (size_t i = 0; i < nodes; ++i) {
    Node& node = nodes_.emplace_back();
    node.name = "node" + std::to_string(i);
    node.health = core::NodeHealth(kHealth);
    node.truth = {.in_recovery = i != 0,
                  .timeline = 1,
                  .system_identifier = 7,
                  .insert_lsn = Lsn{1000},
                  .flush_lsn = Lsn{1000},
                  .replay_lsn = Lsn{1000},
                  .postmaster_started_us = ++postmasters_};
  }
  for (Node& node : nodes_) probe(node);
  for (size_t i = 0; i < workers_.size(); ++i)
    while (!workers_[i].mail.empty()) deliver(i);
  story_.clear();
}

void FailoverWorld::blame(std::string what) {
  if (blame_.empty()) blame_ = std::move(what);
}

bool FailoverWorld::can(FailoverStep step) const {
  const auto& [event, who] = step;
  switch (event) {
    case Event::kProbe:
      return true;
    case Event::kKill:
      return nodes_[who].alive;
    case Event::kStart:
      return !nodes_[who].alive;
    case Event::kRejoin:
      return who != head_ && (!nodes_[who].alive || !nodes_[who].truth.in_recovery);
    case Event::kPromote: {
      const core::NodeObservation& truth = nodes_[who].truth;
      return nodes_[who].alive && truth.in_recovery &&
             truth.timeline == nodes_[head_].truth.timeline;
    }
    case Event::kCut:
      return nodes_[who].alive && !nodes_[who].cut;
    case Event::kMend:
      return nodes_[who].cut;
    case Event::kHold:
    case Event::kRelease:
      return who == head_ && nodes_[who].truth.holds_writes == (event == Event::kRelease);
    case Event::kDeliver:
      return !workers_[who].mail.empty();
    case Event::kTaken:
      return who == 0 && !taken_.empty();
    default:
      break;
  }
  const Client& client = clients_[who];
  switch (event) {
    case Event::kAsk:
      return client.stage == Stage::kIdle || client.stage == Stage::kInTransaction;
    case Event::kGrant:
      return client.stage == Stage::kOpening;
    case Event::kGiveUp:
      return client.stage == Stage::kWaiting;
    case Event::kExecute:
      return client.stage == Stage::kSent && lives(*client.server);
    default:  // An answer does not pass a cut.
      return client.stage == Stage::kExecuted && lives(*client.server) &&
             !nodes_[static_cast<size_t>(client.server->node)].cut;
  }
}

std::vector<FailoverStep> FailoverWorld::possible() const {
  std::vector<FailoverStep> steps;
  for (size_t event = 0; event < kWords.size(); ++event) {
    const auto kind = static_cast<Event>(event);
    const size_t count = kind <= Event::kRelease ? nodes_.size() : kWorkers;
    for (size_t who = 0; who < count; ++who)
      if (can({kind, who})) steps.push_back({kind, who});
  }
  return steps;
}

void FailoverWorld::apply(FailoverStep step) {
  now_ += std::chrono::milliseconds(10);
  story_ += ' ';
  story_ += kWords.at(static_cast<size_t>(step.event));
  story_ += std::to_string(step.who);
  if (step.event <= Event::kRelease) return apply_to_node(step);
  if (step.event == Event::kDeliver) return deliver(step.who);
  if (step.event == Event::kTaken) return taken();
  apply_to_client(step);
}

void FailoverWorld::apply_to_node(FailoverStep step) {
  Node& node = nodes_[step.who];
  switch (step.event) {
    case Event::kProbe:
      return probe(node);
    case Event::kKill:
      return kill(step.who);
    case Event::kStart:
      node.alive = true;
      node.truth.postmaster_started_us = ++postmasters_;
      node.truth.promoted_at = {};
      return;
    case Event::kRejoin:
      return rejoin(step.who);
    case Event::kPromote:
      return promote(step.who);
    case Event::kCut:
    case Event::kMend:
      node.cut = step.event == Event::kCut;
      return hear_of_deaths(step.who);
    default:
      node.truth.holds_writes = step.event == Event::kHold;
  }
}

void FailoverWorld::probe(Node& node) {
  if (hears(node)) {
    node.seen = node.truth;
    node.seen.holds_writes &= !node.truth.in_recovery;
    node.seen.observed_started_at = now_ - Duration(200);
    node.seen.observed_at = now_ - Duration(100);
    node.has_answered = true;
    node.health.on_probe(ProbeResult::kOk, {}, now_);
  } else {
    node.health.on_probe(node.alive ? ProbeResult::kTimeout : ProbeResult::kRefused, {}, now_);
  }
  decide();
}

void FailoverWorld::decide() {
  std::vector<core::NodeView> views;
  for (const Node& node : nodes_) {
    if (node.health.since() == Time{}) return;  // Not all have been looked at.
    views.push_back({.name = node.name,
                     .state = node.health.state(),
                     .health_reason = node.health.reason(),
                     .last = node.has_answered ? &node.seen : nullptr});
  }
  publish(gate_.on_decided(std::make_shared<ClusterSnapshot>(topology_.decide(views, now_))));
}

void FailoverWorld::publish(const core::SnapshotGate::Publication& publication) {
  for (Worker& worker : workers_) worker.mail.push_back(publication);
}

void FailoverWorld::deliver(size_t index) {
  Worker& worker = workers_[index];
  const core::SnapshotGate::Publication publication = worker.mail.front();
  worker.mail.pop_front();
  worker.snapshot = publication.snapshot;
  on_snapshot(index);
  if (publication.confirm) taken_.emplace_back(index, publication.number);
}

void FailoverWorld::taken() {
  const auto [worker, number] = taken_.front();
  taken_.pop_front();
  if (gate_.on_taken(worker, number)) publish(gate_.on_open());
}

void FailoverWorld::kill(size_t index) {
  nodes_[index].alive = false;
  nodes_[index].truth.holds_writes = false;
  hear_of_deaths(index);
}

bool FailoverWorld::lives(const Server& server) const {
  const Node& node = nodes_[static_cast<size_t>(server.node)];
  return node.alive && node.truth.postmaster_started_us == server.started_us;
}

/// Of a node that is cut off nobody hears anything, not even that its servers are gone.
void FailoverWorld::hear_of_deaths(size_t index) {
  if (nodes_[index].cut) return;
  for (Client& client : clients_)
    if (client.server && static_cast<size_t>(client.server->node) == index &&
        !lives(*client.server))
      lose(client);
}

void FailoverWorld::promote(size_t index) {
  const core::NodeObservation& old = nodes_[head_].truth;
  core::NodeObservation& truth = nodes_[index].truth;
  truth.in_recovery = false;
  truth.timeline = old.timeline + 1;
  truth.promoted_at = truth.replay_lsn;
  truth.insert_lsn = truth.flush_lsn = truth.replay_lsn;
  truth.holds_writes = false;
  head_ = index;
}

void FailoverWorld::rejoin(size_t index) {
  kill(index);
  Node& node = nodes_[index];
  const core::NodeObservation& head = nodes_[head_].truth;
  node.alive = true;
  node.truth.in_recovery = true;
  node.truth.timeline = head.timeline;
  node.truth.replay_lsn = node.truth.receive_lsn = head.flush_lsn;
  node.truth.promoted_at = {};
  node.truth.postmaster_started_us = ++postmasters_;
}

void FailoverWorld::rest() {
  story_ += " | rest";
  for (size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    node.cut = false;
    node.truth.holds_writes = false;
    hear_of_deaths(i);
    if (!node.alive && i == head_) apply_to_node({Event::kStart, i});
    const bool follows =
        node.truth.in_recovery && node.truth.timeline == nodes_[head_].truth.timeline;
    if (i != head_ && (!node.alive || !follows)) rejoin(i);
  }
  constexpr int kRoundsMax = 20;
  for (int round = 0; round < kRoundsMax && !is_at_rest(); ++round) go_round();
  if (!is_at_rest()) blame("somebody is never answered");
  for (Client& client : clients_) {
    const size_t before = client.succeeded;
    for (int round = 0; round < kRoundsMax && client.succeeded == before; ++round) {
      const auto ask = FailoverStep{Event::kAsk, static_cast<size_t>(&client - clients_.data())};
      if (can(ask)) apply(ask);
      go_round();
    }
    if (client.succeeded == before) blame("nothing is wrong any more, and a write is not served");
  }
}

bool FailoverWorld::is_at_rest() const {
  return std::ranges::all_of(clients_, [](const Client& client) {
    return client.stage == Stage::kIdle || client.stage == Stage::kInTransaction;
  });
}

/// Everything that can go on by itself does.
void FailoverWorld::go_round() {
  for (size_t i = 0; i < nodes_.size(); ++i) apply({Event::kProbe, i});
  for (const Event event : {Event::kDeliver, Event::kTaken, Event::kDeliver, Event::kGrant,
                            Event::kExecute, Event::kAnswer})
    for (size_t who = 0; who < kWorkers; ++who)
      while (can({event, who})) apply({event, who});
}

}  // namespace fairlead::sim
