#include "sim/position_world.h"

#include <algorithm>

#include "sim/position_client.h"

namespace fairlead::sim {

using sql::ReadConsistency;
using std::chrono::milliseconds;

void PositionCounts::add(const PositionCounts& other) {
  const auto* from = reinterpret_cast<const uint64_t*>(&other);
  auto* to = reinterpret_cast<uint64_t*>(this);
  for (size_t i = 0; i < sizeof other / sizeof *from; ++i) to[i] += from[i];
}

PositionWorld::PositionWorld(uint64_t seed, PositionWorldConfig config)
    : config_(config), fairlead_(seed, 1 + config.replicas) {
  for (uint32_t i = 0; i < config_.sessions; ++i)
    clients_.push_back(std::make_unique<Client>(*this, *fairlead_.workers[i % 2]));
}

PositionWorld::~PositionWorld() = default;

void PositionWorld::blame(std::string what) {
  if (failure_.empty()) failure_ = "step " + std::to_string(steps_) + ": " + std::move(what);
}

void PositionWorld::step() {
  ++steps_;
  advance_clock();
  committed_ |= fairlead_.truth.visible_anywhere();
  Dice& dice = fairlead_.dice;
  switch (dice.below(8)) {
    case 0:
      let_nodes_fail();
      break;
    case 1:
      let_others_write();
      break;
    case 2:
      if (dice.one_in(4)) load_catalog();
      break;
    case 3:
      let_nodes_work();
      break;
    default:
      clients_[dice.below(clients_.size())]->go_on();
      break;
  }
  if (dice.one_in(2)) let_nodes_work();
  let_prober_work(!config_.with_failures || !dice.one_in(20));
  for (const auto& worker : fairlead_.workers)
    if (dice.one_in(worker->news_one_in)) deliver(*worker);
}

void PositionWorld::advance_clock() {
  Dice& dice = fairlead_.dice;
  fairlead_.now += Duration(1 + dice.below(dice.one_in(50) ? 300'000 : 1500));
  for (const auto& worker : fairlead_.workers) {
    worker->waiters.expire(fairlead_.now);
    check_waiters(*worker);
  }
}

/// Nobody may wait longer than its patience.
void PositionWorld::check_waiters(const SimWorker& worker) {
  for (const auto& client : clients_) {
    if (&client->worker() != &worker || client->phase() != SimSession::Phase::kWaiting) continue;
    if (client->waits_until() <= fairlead_.now || !client->waits_for_positions())
      blame("a waiter was forgotten when its time was over");
  }
}

void PositionWorld::let_nodes_work() {
  Dice& dice = fairlead_.dice;
  ClusterTruth& truth = fairlead_.truth;
  for (size_t i = 0; i < truth.nodes(); ++i) {
    if (!calm_ && dice.one_in(3)) continue;
    if (!truth.node(i).in_recovery) {
      if (calm_ || dice.one_in(4)) truth.flush(i);
      continue;
    }
    const uint64_t bytes = calm_ ? 100'000 : dice.below(40);
    if (calm_ || dice.one_in(2))
      truth.stream(i, calm_ ? truth.head() : dice.below(truth.nodes()), bytes);
    if (calm_ || dice.one_in(2)) truth.apply(i, bytes);
    if (calm_ || dice.one_in(2)) truth.report(i);
    if (dice.one_in(8)) truth.checkpoint(i);
  }
}

void PositionWorld::let_nodes_fail() {
  Dice& dice = fairlead_.dice;
  if (config_.with_failures && dice.one_in(3)) fail_node(dice.below(fairlead_.truth.nodes()));
  if (config_.with_promotions && dice.one_in(6)) promote_somebody();
}

void PositionWorld::fail_node(size_t index) {
  Dice& dice = fairlead_.dice;
  ClusterTruth& truth = fairlead_.truth;
  const TrueNode& node = truth.node(index);
  const bool is_old = !node.in_recovery && index != truth.head();
  if (is_old && (!config_.with_old_primaries || dice.one_in(4))) return truth.rejoin(index);
  if (!node.up) return truth.set_up(index, true);
  switch (dice.below(5)) {
    case 0:
      return truth.set_up(index, false);
    case 1:
      return truth.set_hanging(index, !node.hangs);
    case 2:
      // Its WAL has left the cluster's: nothing but a copy helps.
      if (node.in_recovery && node.timeline != truth.node(truth.head()).timeline)
        return truth.rejoin(index);
      return;
    default:
      if (node.in_recovery || dice.one_in(3)) return truth.restart(index);
  }
}

void PositionWorld::promote_somebody() {
  ClusterTruth& truth = fairlead_.truth;
  const TrueNode& head = truth.node(truth.head());
  if (head.up && !(config_.with_old_primaries && fairlead_.dice.one_in(4))) return;
  const size_t index = fairlead_.dice.below(truth.nodes());
  const TrueNode& node = truth.node(index);
  if (!node.in_recovery || !node.up || node.hangs || node.timeline != head.timeline) return;
  truth.promote(index);
  ++counts_.promotions;
}

/// Past Fairlead: what only "strict" sees.
void PositionWorld::let_others_write() {
  ClusterTruth& truth = fairlead_.truth;
  const size_t index = fairlead_.dice.below(truth.nodes());
  const TrueNode& node = truth.node(index);
  if (calm_ || !node.up || node.hangs || node.in_recovery) return;
  truth.insert_other_wal(index, fairlead_.dice.below(20));
  if (truth.is_full() || !fairlead_.dice.one_in(4)) return;
  const size_t commit =
      truth.write(index, fairlead_.dice.one_in(2) ? Table::kFirst : Table::kSecond);
  if (!fairlead_.dice.one_in(3)) truth.flush(index);
  truth.make_visible(index, node.life, commit);
}

void PositionWorld::let_prober_work(bool in_time) {
  SimMonitor& monitor = fairlead_.monitor;
  for (size_t i = 0; i < fairlead_.truth.nodes(); ++i) {
    const TrueNode& node = fairlead_.truth.node(i);
    if (monitor.is_due(i, fairlead_.now)) {
      monitor.ask(i, fairlead_.now);
    } else if (monitor.is_asking(i) && !monitor.is_answered(i)) {
      const bool answers = node.up && !node.hangs;
      if (answers && (calm_ || fairlead_.dice.one_in(2))) monitor.answer(i);
      if (!answers && fairlead_.dice.one_in(node.up ? 10 : 2)) end_probe(i, false);
    } else if (monitor.is_answered(i) && monitor.is_asking(i)) {
      if (calm_ || fairlead_.dice.one_in(3)) end_probe(i, in_time);
    }
  }
}

void PositionWorld::end_probe(size_t node, bool in_time) {
  const SnapshotPtr snapshot = fairlead_.monitor.end(node, fairlead_.now, in_time);
  if (snapshot == nullptr) return;
  for (const auto& worker : fairlead_.workers) worker->mail.push_back(snapshot);
}

void PositionWorld::deliver(SimWorker& worker) {
  if (!worker.catalog_mail.empty()) {
    worker.catalog = std::move(worker.catalog_mail.front());
    worker.catalog_mail.pop_front();
    fairlead_.activity.on_new_catalog();
  }
  if (worker.mail.empty()) return;
  worker.snapshot = std::move(worker.mail.front());
  worker.mail.pop_front();
  worker.waiters.on_positions();
  for (const auto& client : clients_) {
    if (&client->worker() != &worker) continue;
    const bool waits = client->phase() == SimSession::Phase::kWaiting && !client->waits_for_token();
    if (waits) ++counts_.waits;
    if (waits && client->is_forgotten()) blame("a waiter was forgotten when positions came");
    for (size_t i = 0; i < worker.snapshot->nodes.size(); ++i)
      if (worker.snapshot->nodes[i].is_unresponsive())
        client->on_node_down(core::NodeIndex{static_cast<uint16_t>(i)});
  }
}

Table PositionWorld::shown_by_view(const CommitSet& visible) const {
  const CommitSet changes = visible & fairlead_.truth.of_table(Table::kSchema);
  return changes.count() % 2 == 0 ? Table::kFirst : Table::kSecond;
}

/// The primary is asked in one step, and answers in another, as proxy/catalog_loader does.
void PositionWorld::load_catalog() {
  if (!catalog_asked_at_) {
    catalog_asked_at_ = fairlead_.now;
    return;
  }
  const Time asked_at = *std::exchange(catalog_asked_at_, std::nullopt);
  const size_t head = fairlead_.truth.head();
  if (!fairlead_.truth.node(head).up || fairlead_.truth.node(head).hangs) return;
  const Table shown = shown_by_view(fairlead_.truth.shown_by(head));
  const CatalogPtr catalog = catalog_of(shown, ++generations_, asked_at);
  for (const auto& worker : fairlead_.workers) worker->catalog_mail.push_back(catalog);
}

void PositionWorld::check_read(Client& client, const CommitSet& shown) {
  const ClusterTruth& truth = fairlead_.truth;
  const TrueNode& node = truth.node(static_cast<size_t>(client.choice_.node));
  const bool is_lost =
      client.token_ && !truth.has(node.timeline, client.token_->token.timeline.value_or(0),
                                  client.token_->token.lsn);
  // What is known of the node as the primary does not tell that it has come back as a newer one.
  if (is_lost && node.timeline > client.chosen_on_timeline_ && !node.in_recovery)
    ++counts_.unaccepted;
  else if (is_lost)
    return blame("a token of a lost timeline was believed (D20, D24)");
  CommitSet must = client.must_;
  CommitSet of_others = client.must_of_others_ & truth.of_table(client.table_);
  if (client.table_ == Table::kSchema) {
    // A change of the view that nobody was told of yet may show another table (D8).
    const CommitSet changes = shown & truth.of_table(Table::kSchema);
    const bool is_told = (changes & ~client.schema_told_).none();
    if (is_told) of_others |= client.must_of_others_ & truth.of_table(shown_by_view(shown));
  }
  must |= of_others;
  const CommitSet missing = must & ~shown;
  for (size_t i = 0; missing.any() && i < truth.commits(); ++i) {
    if (!missing[i]) continue;
    const Commit& commit = truth.commit(i);
    if (!truth.is_on(node.timeline, i)) {
      if (commit.forgotten || commit.timeline < node.timeline) {
        ++counts_.lost;
      } else if (commit.timeline > client.chosen_on_timeline_) {
        ++counts_.unaccepted;
      } else {
        return blame("a read on timeline " + std::to_string(node.timeline) +
                     " misses a commit of a newer one");
      }
    } else if (!node.in_recovery && !commit.visible) {
      ++counts_.early;
    } else {
      return blame("level " + std::string(sql::consistency_name(client.level_)) + ": node " +
                   std::to_string(static_cast<size_t>(client.choice_.node)) +
                   " does not show commit " + std::to_string(i) + " at " +
                   std::to_string(commit.at.value) + ", it is at " +
                   std::to_string((node.in_recovery ? node.applied : node.inserted).value));
    }
  }
}

void PositionWorld::rest() {
  calm_ = true;
  ClusterTruth& truth = fairlead_.truth;
  for (size_t i = 0; i < truth.nodes(); ++i) {
    truth.set_up(i, true);
    truth.set_hanging(i, false);
    const bool is_off = truth.node(i).timeline != truth.node(truth.head()).timeline;
    if (i != truth.head() && (!truth.node(i).in_recovery || is_off)) truth.rejoin(i);
  }
  constexpr Duration kRest = std::chrono::seconds(14);  // Above NodeHealth's flap_hold.
  const Time until = fairlead_.now + kRest;
  while (fairlead_.now < until && failure_.empty()) {
    ++steps_;
    const bool ends = fairlead_.now > until - std::chrono::seconds(2);
    fairlead_.now += milliseconds(ends ? 5 : 50);
    for (const auto& worker : fairlead_.workers) {
      worker->waiters.expire(fairlead_.now);
      check_waiters(*worker);
      while (!worker->mail.empty() || !worker->catalog_mail.empty()) deliver(*worker);
    }
    let_nodes_work();
    let_prober_work(true);
    for (const auto& client : clients_)
      if (!ends || !client->is_idle()) client->go_on();
  }
  if (!fairlead_.workers[0]->snapshot->primary) blame("no primary is found in the end");
  for (const auto& client : clients_)
    if (!client->is_idle())
      blame("a request is never answered, it is in phase " +
            std::to_string(static_cast<int>(client->phase())));
}

}  // namespace fairlead::sim
