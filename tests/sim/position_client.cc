#include "sim/position_client.h"

#include <algorithm>

namespace fairlead::sim {

using core::Target;
using sql::ReadConsistency;

void PositionWorld::Client::begin_something() {
  if (fairlead_.dice.one_in(12)) return begin_token();
  const bool may_write = !world_.calm_ && !fairlead_.truth.is_full();
  if (may_write && fairlead_.dice.one_in(3)) return begin_write();
  begin_read();
}

void PositionWorld::Client::begin_write() {
  writes_ = true;
  table_ = fairlead_.dice.one_in(5)   ? Table::kSchema
           : fairlead_.dice.one_in(2) ? Table::kFirst
                                      : Table::kSecond;
  commit_.reset();
  written_.clear();
  written_.add(*write_to(table_).plan.executions.front().facts, worker_.catalog.get());
  begin({.route = {.target = Target::kPrimary, .reason = sql::Reason::kWrite}});
}

void PositionWorld::Client::begin_read() {
  writes_ = false;
  level_ = static_cast<ReadConsistency>(fairlead_.dice.below(4));
  table_ = static_cast<Table>(fairlead_.dice.below(3));
  must_.reset();
  if (level_ == ReadConsistency::kSession) must_ = own_ | seen_;
  if (level_ == ReadConsistency::kStrict) must_ = own_ | seen_ | world_.committed_;
  must_of_others_ = level_ == ReadConsistency::kApp ? world_.acknowledged_ : CommitSet{};
  schema_told_ = world_.acknowledged_ & fairlead_.truth.of_table(Table::kSchema);
  token_.reset();
  core::LeaseWish wish{.route = {.target = Target::kReplica,
                                 .reason = sql::Reason::kRead,
                                 .replica_only = fairlead_.dice.one_in(6),
                                 .read = {.consistency = level_}},
                       .reads = &read_of_table(table_).plan};
  if (!world_.tokens_.empty() && fairlead_.dice.one_in(5)) {
    token_ = world_.tokens_[fairlead_.dice.below(world_.tokens_.size())];
    wish.route.read.min_lsn = token_->token;
    must_ |= token_->must;
    ++world_.counts_.token_reads;
  }
  begin(std::move(wish));
}

/// SHOW fairlead.token, as ClientSession::fresh_token() has it.
void PositionWorld::Client::begin_token() {
  token_wished_at_ = fairlead_.now;
  token_must_ = own_ | seen_ | world_.committed_;
  fairlead_.monitor.want_positions();
  wait_until(fairlead_.now + fairlead_.options.failover_hold);
}

void PositionWorld::Client::on_positions() {
  if (!token_wished_at_) return SimSession::on_positions();
  const core::ClusterSnapshot& cluster = *worker_.snapshot;
  if (!cluster.primary || cluster.position.sampled_at <= *token_wished_at_) {
    fairlead_.monitor.want_positions();
    return wait_until(waits_until());
  }
  phase_ = Phase::kIdle;
  token_wished_at_.reset();
  const auto read = sql::read_setting("fairlead.min_lsn", core::token_of(cluster));
  if (!read) return world_.blame("the token cannot be read: " + describe(read.error()));
  HandedToken handed{.token = std::get<sql::FloorToken>(*read), .must = token_must_};
  for (size_t i = 0; i < fairlead_.truth.commits(); ++i)
    handed.must[i] = handed.must[i] && fairlead_.truth.is_on(cluster.timeline, i);
  world_.tokens_.push_back(std::move(handed));
}

void PositionWorld::Client::on_positions_timeout() {
  if (!token_wished_at_) return SimSession::on_positions_timeout();
  token_wished_at_.reset();
  phase_ = Phase::kIdle;
}

void PositionWorld::Client::on_sent() {
  const core::ClusterSnapshot& cluster = *worker_.snapshot;
  if (choice_.target != Target::kPrimary) return;
  // E1, E2, E3: whoever is asked as the primary is the newest that this worker knows.
  if (cluster.primary != server().state.node)
    return world_.blame("a statement for the primary went to a node that is not");
  const TrueNode& node = fairlead_.truth.node(static_cast<size_t>(server().state.node));
  if (is_server_alive() && !node.in_recovery && node.timeline < cluster.timeline)
    world_.blame("a statement for the primary went to one of an older timeline");
}

void PositionWorld::Client::on_refused(const Error& error) {
  ++world_.counts_.refusals;
  if (error.code != ErrorCode::kInvalidParameterValue) return;
  ++world_.counts_.tokens_refused;
  if (!token_) return world_.blame("a token was refused that nobody gave");
  const TrueNode& head = fairlead_.truth.node(fairlead_.truth.head());
  // A primary that has crashed may be behind what it had not flushed (D14).
  const bool is_good =
      token_->token.lsn <= head.inserted &&
      fairlead_.truth.has(head.timeline, token_->token.timeline.value_or(0), token_->token.lsn);
  if (!is_good) ++world_.counts_.tokens_lost;
  const core::ClusterSnapshot& known = *worker_.snapshot;
  if (is_good && world_.calm_ && known.primary && known.timeline == head.timeline)
    world_.blame("a token was refused that is part of the cluster");
}

void PositionWorld::Client::on_lost() {
  if (writes_) ++world_.counts_.unknown_outcomes;
}

void PositionWorld::Client::go_on() {
  switch (phase_) {
    case Phase::kIdle:
      if (!world_.calm_ || fairlead_.dice.one_in(20)) begin_something();
      return;
    case Phase::kWaiting:
      return;
    case Phase::kOpening:
      return open();
    case Phase::kSent:
      return run_statement();
    case Phase::kServed:
      return take_answer();
  }
}

void PositionWorld::Client::run_statement() {
  if (!is_server_alive()) return lose_server();
  const auto index = static_cast<size_t>(server().state.node);
  const TrueNode& node = fairlead_.truth.node(index);
  if (node.hangs) return;
  server().state.in_hot_standby = node.in_recovery;  // Comes with the answer (E5).
  if (writes_) return run_write();
  shown_ = fairlead_.truth.shown_by(index);
  world_.check_read(*this, shown_);
  phase_ = Phase::kServed;
}

/// Its commit is written, flushed, and only then seen, with time in between.
void PositionWorld::Client::run_write() {
  const auto index = static_cast<size_t>(server().state.node);
  if (fairlead_.truth.node(index).in_recovery) {  // 25006
    phase_ = Phase::kServed;
    return;
  }
  if (!commit_) {
    if (fairlead_.truth.is_full()) return lose_server();
    commit_ = fairlead_.truth.write(index, table_);
    const bool is_quick = table_ == Table::kSchema;
    if (!is_quick && !fairlead_.dice.one_in(3)) return;
  }
  const bool is_asynchronous = fairlead_.dice.one_in(8);  // D14
  if (!is_asynchronous) fairlead_.truth.flush(index);
  fairlead_.truth.make_visible(index, server().life, *commit_);
  phase_ = Phase::kServed;
}

void PositionWorld::Client::take_answer() {
  const bool committed = writes_ && commit_.has_value();
  if (!writes_) {
    seen_ |= shown_;
    ++world_.counts_.reads;
    if (choice_.target == Target::kReplica) ++world_.counts_.on_replicas;
  }
  finish(committed);
  if (!committed) return;
  ++world_.counts_.writes;
  fairlead_.activity.note_write(fairlead_.now, written_, worker_.catalog.get());
  if (table_ == Table::kSchema) fairlead_.activity.count_catalog_change(fairlead_.now);
  own_.set(*commit_);
  world_.acknowledged_.set(*commit_);
}

}  // namespace fairlead::sim
