#include "sim/position_fairlead.h"

#include <algorithm>
#include <array>

#include "sql/classify.h"

namespace fairlead::sim {
namespace {

using core::NodeIndex;
using core::ProbeResult;
using core::Target;
using std::chrono::milliseconds;

constexpr Duration kPositionGapMin = milliseconds(2);  // As proxy/probe_schedule has it.

constexpr std::array<std::string_view, 3> kReads{"SELECT * FROM a", "SELECT * FROM b",
                                                 "SELECT * FROM v"};
constexpr std::array<std::string_view, 3> kWrites{"INSERT INTO a VALUES (1)",
                                                  "INSERT INTO b VALUES (1)",
                                                  "CREATE OR REPLACE VIEW v AS SELECT * FROM b"};

const Statement& statement(const std::array<std::string_view, 3>& texts, Table table) {
  static const std::array<Statement, 3> kReading{Statement(kReads[0]), Statement(kReads[1]),
                                                 Statement(kReads[2])};
  static const std::array<Statement, 3> kWriting{Statement(kWrites[0]), Statement(kWrites[1]),
                                                 Statement(kWrites[2])};
  return (&texts == &kReads ? kReading : kWriting)[static_cast<size_t>(table)];
}

size_t number(NodeIndex node) { return static_cast<size_t>(node); }

}  // namespace

Statement::Statement(std::string_view text) {
  plan.executions.push_back(
      {.facts = std::make_shared<const sql::QueryFacts>(sql::classify(text)), .set_config = {}});
}

const Statement& read_of_table(Table table) { return statement(kReads, table); }
const Statement& write_to(Table table) { return statement(kWrites, table); }

CatalogPtr catalog_of(Table shown, uint64_t generation, Time as_of) {
  using sql::DependencyKind;
  const uint32_t base = shown == Table::kFirst ? 30001 : 30002;
  const std::array<sql::DependencyRow, 3> rows{
      sql::DependencyRow{.kind = DependencyKind::kTable, .oid = 30001, .name = "a"},
      sql::DependencyRow{.kind = DependencyKind::kTable, .oid = 30002, .name = "b"},
      sql::DependencyRow{
          .kind = DependencyKind::kView, .oid = 30003, .name = "v", .relations = {base}}};
  return sql::FunctionCatalog::build({}, generation, rows, as_of);
}

SimMonitor::SimMonitor(const ClusterTruth& truth) : truth_(truth), probes_(truth.nodes()) {
  for (size_t i = 0; i < probes_.size(); ++i) probes_[i].name = "node" + std::to_string(i);
}

void SimMonitor::want_positions() {
  for (Probe& probe : probes_) probe.wanted = true;
}

bool SimMonitor::is_due(size_t node, Time now) const {
  const Probe& probe = probes_[node];
  if (probe.asking) return false;
  const bool at_once = probe.wanted && probe.health.state() == core::NodeState::kUp;
  return now >=
         probe.started_at + (at_once ? kPositionGapMin : probe.health.next_probe_after() / 2);
}

void SimMonitor::ask(size_t node, Time now) {
  Probe& probe = probes_[node];
  probe.asking = true;
  probe.wanted = false;
  probe.started_at = now;
  probe.answer.reset();
}

void SimMonitor::answer(size_t node) { probes_[node].answer = truth_.observe(node); }

SnapshotPtr SimMonitor::end(size_t node, Time now, bool in_time) {
  Probe& probe = probes_[node];
  probe.asking = false;
  probe.ended_once = true;
  probe.result = in_time && probe.answer ? ProbeResult::kOk
                 : truth_.node(node).up  ? ProbeResult::kTimeout
                                         : ProbeResult::kRefused;
  probe.health.on_probe(probe.result, {}, now, !probe.answer || probe.answer->in_recovery);
  if (probe.result == ProbeResult::kOk) {
    probe.last = std::move(probe.answer);
    probe.last->observed_started_at = probe.started_at;
    probe.last->observed_at = now;
  }
  const bool all = std::ranges::all_of(probes_, [](const Probe& each) { return each.ended_once; });
  return all ? decide(now) : nullptr;
}

SnapshotPtr SimMonitor::decide(Time now) {
  std::vector<core::NodeView> views;
  for (const Probe& probe : probes_) {
    views.push_back({.name = probe.name,
                     .state = probe.health.state(),
                     .health_reason = probe.health.reason(),
                     .last = probe.last ? &*probe.last : nullptr});
  }
  auto snapshot = std::make_shared<core::ClusterSnapshot>(topology_.decide(views, now));
  for (size_t i = 0; i < probes_.size(); ++i)
    snapshot->nodes[i].usable_for_reads &= probes_[i].result == ProbeResult::kOk;
  return snapshot;
}

SimFairlead::SimFairlead(uint64_t seed, size_t nodes) : dice(seed), truth(nodes) {
  options = {.max_lag = std::chrono::seconds(10),
             .freshness_wait = milliseconds(20),
             .pool_timeout = milliseconds(300),
             .failover_hold = milliseconds(1000),
             .primary_reads = dice.one_in(4)};
  for (int i = 0; i < 2; ++i) {
    workers.push_back(
        std::make_unique<SimWorker>(nodes, static_cast<core::BalanceMethod>(dice.below(4))));
    workers.back()->news_one_in = 1 + dice.below(6);
    workers.back()->catalog = catalog_of(Table::kFirst, 1, now);
  }
}

void SimSession::begin(core::LeaseWish wish) {
  wish_ = std::move(wish);
  wish_.kept = kept_;
  wished_at_ = fairlead_.now;
  attempts_ = 1;
  choose(true);
}

core::ReadHistory SimSession::history() const {
  return {.arrived = wished_at_,
          .own_write = wrote_at_,
          .others_write = fairlead_.activity.last_write(wish_.reads, worker_.catalog.get()),
          .answered = answered_};
}

void SimSession::choose(bool may_wait) {
  phase_ = Phase::kIdle;
  chosen_by_ = worker_.snapshot;
  if (worker_.snapshot->nodes.empty())
    return on_refused({ErrorCode::kCannotConnectNow, "not looked at yet"});
  const core::Choice choice = core::choose_node(wish_, history(),
                                                {.cluster = *worker_.snapshot,
                                                 .options = fairlead_.options,
                                                 .in_use = worker_.in_use,
                                                 .scratch = worker_.scratch,
                                                 .now = fairlead_.now},
                                                worker_.balancer, fairlead_.dice.next());
  if (choice.wants_positions) fairlead_.monitor.want_positions();
  if (may_wait && wait(choice.patience)) return;
  if (!choice.now) return on_refused(choice.now.error());
  choice_ = *choice.now;
  chosen_on_timeline_ = worker_.snapshot->timeline;
  auto& idle = worker_.idle[number(choice_.node)];
  if (idle.empty() || fairlead_.dice.one_in(4)) {
    opening_epoch_ = worker_.snapshot->epoch;
    phase_ = Phase::kOpening;
    return;
  }
  std::swap(idle[fairlead_.dice.below(idle.size())], idle.back());
  auto server = std::move(idle.back());
  idle.pop_back();
  grant(std::move(server));
}

bool SimSession::wait(Duration patience) {
  if (patience == Duration{} || fairlead_.now >= wished_at_ + patience) return false;
  wait_until(wished_at_ + patience);
  return true;
}

void SimSession::wait_until(Time until) {
  until_ = until;
  phase_ = Phase::kWaiting;
  worker_.waiters.add(*this, until);
}

bool SimSession::waits_for_primary() {
  return choice_.target == Target::kPrimary && wait(fairlead_.options.failover_hold);
}

void SimSession::open() {
  const TrueNode& node = fairlead_.truth.node(number(choice_.node));
  if (!node.up) return on_no_server();
  if (node.hangs) return;
  auto server = std::make_unique<PositionServer>();
  server->life = node.life;
  server->state.node = choice_.node;
  server->state.epoch = opening_epoch_;
  server->state.opened_at = fairlead_.now;
  server->state.in_hot_standby = node.in_recovery;
  server->state.postmaster_started_us =
      fairlead_.truth.observe(number(choice_.node)).postmaster_started_us;
  grant(std::move(server));
}

void SimSession::grant(std::unique_ptr<PositionServer> server) {
  switch (
      core::check_lease(choice_.target, server->state, choice_.opened_before, *worker_.snapshot)) {
    case core::LeaseCheck::kOutdated:
      return choose(true);
    case core::LeaseCheck::kWrongRole:
    case core::LeaseCheck::kOtherNode:
      return on_no_server();
    case core::LeaseCheck::kHeld:  // Nobody asks for a pause here.
      return choose(true);
    case core::LeaseCheck::kTooNew:
      worker_.idle[number(choice_.node)].push_back(std::move(server));
      return on_server_too_new();
    case core::LeaseCheck::kGood:
      break;
  }
  server_ = std::move(server);
  ++worker_.in_use[number(choice_.node)];
  if (choice_.target == Target::kReplica) kept_ = choice_.node;
  phase_ = Phase::kSent;
  on_sent();
}

void SimSession::on_server_too_new() {
  on_too_new();
  fairlead_.monitor.want_positions();
  const bool takes_writes = worker_.snapshot->takes_writes();
  if (wait(core::patience_of_read(wish_.route, fairlead_.options, takes_writes))) return;
  phase_ = Phase::kIdle;
  if (wish_.route.replica_only || !takes_writes)
    return on_refused({ErrorCode::kCannotConnectNow, "no replica is known to be fresh enough"});
  wish_.past_replicas = true;
  wished_at_ = fairlead_.now;
  choose(true);
}

void SimSession::on_no_server() {
  if (waits_for_primary()) return;
  drop_choice(choice_.node, choice_.target);
}

/// Nothing was sent yet: any other node will do.
void SimSession::drop_choice(NodeIndex node, Target target) {
  phase_ = Phase::kIdle;
  if (target == Target::kReplica && attempts_++ < kAttemptsMax) {
    wish_.avoid.push_back(node);
    wished_at_ = fairlead_.now;
    return choose(true);
  }
  on_refused({ErrorCode::kCannotConnectNow, "the node does not answer"});
}

void SimSession::on_node_down(NodeIndex node) {
  if (choice_.node != node) return;
  if (phase_ == Phase::kOpening) return on_no_server();
  if (phase_ == Phase::kSent) lose_server();
}

bool SimSession::is_server_alive() const {
  const TrueNode& node = fairlead_.truth.node(number(server_->state.node));
  return node.up && node.life == server_->life;
}

void SimSession::lose_server() {
  --worker_.in_use[number(server_->state.node)];
  server_.reset();
  phase_ = Phase::kIdle;
  on_lost();
}

void SimSession::finish(bool wrote) {
  const NodeIndex node = server_->state.node;
  answered_.note(node, server_->state.opened_at, fairlead_.now);
  if (wrote) wrote_at_ = fairlead_.now;
  --worker_.in_use[number(node)];
  if (server_->state.epoch == worker_.snapshot->epoch)
    worker_.idle[number(node)].push_back(std::move(server_));
  server_.reset();
  phase_ = Phase::kIdle;
}

}  // namespace fairlead::sim
