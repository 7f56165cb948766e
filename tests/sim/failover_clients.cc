// FailoverWorld: the clients. The first one writes without a transaction, the second one in one.
//
// Three promises are looked after here: in one epoch one node gets writes, none is sent to a node
// after another one has taken its place, and what such a node acknowledges is no success.
#include "sim/failover_world.h"

namespace fairlead::sim {

using core::NodeIndex;
using core::Target;
using Event = FailoverEvent;

namespace {

const core::Route kWrite{.target = Target::kPrimary, .reason = sql::Reason::kWrite};

}  // namespace

void FailoverWorld::apply_to_client(FailoverStep step) {
  switch (step.event) {
    case Event::kAsk:
      return ask(step.who);
    case Event::kGrant:
      return grant(step.who);
    case Event::kGiveUp:
      return give_up(step.who);
    case Event::kExecute: {
      Client& client = clients_[step.who];
      Node& node = nodes_[static_cast<size_t>(client.server->node)];
      if (!node.truth.in_recovery) node.truth.insert_lsn.value += 100;
      node.truth.flush_lsn = node.truth.insert_lsn;
      for (Node& replica : nodes_)
        if (replica.alive && replica.truth.in_recovery &&
            replica.truth.timeline == node.truth.timeline)
          replica.truth.replay_lsn = replica.truth.receive_lsn = node.truth.flush_lsn;
      client.stage = Stage::kExecuted;
      return;
    }
    default:
      return answer(step.who);
  }
}

void FailoverWorld::ask(size_t index) {
  Client& client = clients_[index];
  ++client.asked;
  if (client.stage == Stage::kInTransaction) {
    client.in_transaction = true;
    if (!client.server) {  // It was lost between two statements: now the client is told.
      ++client.answered;
      return end(client);
    }
    return send(index);
  }
  client.stage = Stage::kWaiting;
  choose(index);
}

void FailoverWorld::choose(size_t index) {
  Client& client = clients_[index];
  const core::ClusterSnapshot& cluster = *workers_[index].snapshot;
  const core::ChoiceOptions options{.failover_hold = std::chrono::seconds(30)};
  std::vector<uint32_t> in_use(nodes_.size());
  std::vector<core::Candidate> scratch(nodes_.size());
  core::Balancer balancer(core::BalanceMethod::kRoundRobin);
  const core::Choice choice = core::choose_node(
      {.route = kWrite}, {}, {cluster, options, in_use, scratch, now_}, balancer, 0);
  if (!choice.now) {
    ++waited_;
    return;
  }
  client.choice = *choice.now;
  const auto at = static_cast<size_t>(client.choice.node);
  const Node& node = nodes_[at];
  if (!hears(node)) return;  // Nobody lets it in; it is tried again with the next news.
  client.server = Server{.node = client.choice.node,
                         .epoch = cluster.epoch,
                         .in_recovery = node.truth.in_recovery,
                         .started_us = node.truth.postmaster_started_us,
                         .writer = {at, node.truth.timeline}};
  client.stage = Stage::kOpening;
}

core::ServerState FailoverWorld::as_state(const Server& server) const {
  core::ServerState state;
  state.node = server.node;
  state.epoch = server.epoch;
  state.in_hot_standby = server.in_recovery;
  state.postmaster_started_us = server.started_us;
  return state;
}

void FailoverWorld::grant(size_t index) {
  Client& client = clients_[index];
  const auto check = core::check_lease(client.choice.target, as_state(*client.server), {},
                                       *workers_[index].snapshot);
  if (check == core::LeaseCheck::kGood) return send(index);
  client.server.reset();
  client.stage = Stage::kWaiting;
}

void FailoverWorld::give_up(size_t index) {
  ++clients_[index].answered;  // 57P03
  end(clients_[index]);
}

void FailoverWorld::send(size_t index) {
  Client& client = clients_[index];
  const Server& server = *client.server;
  if (!client.in_transaction && gate_.all_hold())
    blame("something new begins on a primary that was told that nothing does");
  const auto [its, is_first] = writer_of_epoch_.emplace(server.epoch, server.writer.first);
  if (!is_first && its->second != server.writer.first)
    blame("two nodes get writes in epoch " + std::to_string(server.epoch));
  if (abandoned_.contains(server.writer)) blame("a write goes to a primary that was replaced");
  if (writer_ && *writer_ != server.writer) abandoned_.insert(*writer_);
  writer_ = server.writer;
  client.stage = Stage::kSent;
}

void FailoverWorld::answer(size_t index) {
  Client& client = clients_[index];
  if (abandoned_.contains(client.server->writer))
    blame("a client takes the word of a primary that was replaced");
  ++client.answered;
  const bool begins = index == 1 && !client.in_transaction;
  if (begins) {
    client.stage = Stage::kInTransaction;
    return;
  }
  ++client.succeeded;
  end(client);
}

/// The client has its answer, and its transaction is over.
void FailoverWorld::end(Client& client) {
  client.server.reset();
  client.in_transaction = false;
  client.stage = Stage::kIdle;
  if (client.answered != client.asked) blame("not one answer for each statement");
}

/// Its server is gone.
void FailoverWorld::lose(Client& client) {
  client.server.reset();
  switch (client.stage) {
    case Stage::kIdle:
    case Stage::kWaiting:
    case Stage::kInTransaction:
      return;
    case Stage::kOpening:
      client.stage = Stage::kWaiting;
      return;
    case Stage::kSent:
    case Stage::kExecuted:
      break;
  }
  const bool is_begin = &client == &clients_[1] && !client.in_transaction;
  const core::LostWork work = core::lost_work(
      {.may_write = !client.in_transaction, .commits = client.in_transaction}, is_begin);
  const auto told = core::loss_row(work).code;
  if (!told) blame("nobody is told of a statement that was sent");
  if ((told == ErrorCode::kUnknownOutcome) == is_begin) blame("it is told the wrong thing");
  unknown_ += told == ErrorCode::kUnknownOutcome;
  ++client.answered;
  end(client);
}

void FailoverWorld::on_snapshot(size_t index) {
  Client& client = clients_[index];
  const core::ClusterSnapshot& cluster = *workers_[index].snapshot;
  const bool works = client.server && client.stage != Stage::kOpening;
  if (works && core::is_superseded(Target::kPrimary, as_state(*client.server), cluster))
    lose(client);
  if (client.stage == Stage::kWaiting) choose(index);
}

}  // namespace fairlead::sim
