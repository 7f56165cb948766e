#include "proxy/monitor.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"
#include "net/alarm.h"
#include "proxy/monitor_news.h"
#include "proxy/probe_login.h"

namespace fairlead::proxy {
namespace {

using core::NodeState;
using core::ProbeResult;

/// A node that is silent is not asked for reads, though it may still be what it was. The primary
/// keeps its role: there is no other place for a write.
void withhold_from_reads(core::NodeStatus& status, std::string_view why) {
  if (!status.usable_for_reads) return;
  status.usable_for_reads = false;
  status.reason = why;
}

}  // namespace

ClusterMonitor::Node::Node(net::Loop& loop, const MonitorConfig& config,
                           const ServerEndpoint& endpoint)
    : prober(loop, endpoint, own_login(config.login, kMonitorName)),
      name(endpoint.name()),
      health(health_config({config.probe_interval, config.probe_timeout, config.probe_failures})),
      poked(loop) {}

ClusterMonitor::ClusterMonitor(net::Loop& loop, std::string cluster, MonitorConfig config,
                               Publish publish)
    : loop_(loop),
      cluster_(std::move(cluster)),
      config_(std::move(config)),
      timing_{config_.probe_interval, config_.probe_timeout, config_.probe_failures},
      publish_(std::move(publish)),
      spawner_(loop),
      topology_(with_ages(config_.topology, timing_)) {}

ClusterMonitor::~ClusterMonitor() = default;

void ClusterMonitor::start() {
  started_ = true;
  set_nodes(config_.nodes);
}

void ClusterMonitor::set_nodes(const std::vector<ServerEndpoint>& nodes) {
  if (!started_ || stopping_) return;
  std::vector<std::string> names;
  names.reserve(nodes.size());
  for (const ServerEndpoint& node : nodes) names.push_back(node.name());
  const auto change = slots_.update(names, net::Loop::now(), config_.is_unused);
  for (const std::string& name : change.left_out)
    log::error("cluster {}: node {} is left out: there are {} already", cluster_, name,
               core::NodeSlots::kSlotsMax);
  for (const core::NodeIndex index : change.removed) end(index);
  for (const core::NodeIndex index : change.added)
    begin(*std::ranges::find(nodes, slots_.name(index), &ServerEndpoint::name), index);
  if (!change.added.empty() || !change.removed.empty()) decide();
}

void ClusterMonitor::set_tls(const std::shared_ptr<const net::TlsClient>& tls) {
  for (const auto& node : nodes_) {
    node->prober.set_tls(tls);
    if (node->history.kept_out == 0) continue;
    node->history.trouble = true;
    node->poked.notify_all();
  }
}

void ClusterMonitor::begin(const ServerEndpoint& endpoint, core::NodeIndex index) {
  const auto at = static_cast<size_t>(index);
  if (at == nodes_.size()) nodes_.emplace_back();
  std::erase_if(leaving_, [](const auto& node) { return node->ended; });
  if (nodes_[at]) leaving_.push_back(std::move(nodes_[at]));
  nodes_[at] = std::make_unique<Node>(loop_, config_, endpoint);
  nodes_[at]->prober.show_holding(shows_holding_);
  spawner_.spawn(watch(*nodes_[at]));
}

void ClusterMonitor::end(core::NodeIndex index) {
  Node& node = *nodes_[static_cast<size_t>(index)];
  node.gone = true;
  node.poked.notify_all();
}

void ClusterMonitor::set_judgement(patroni::Judgement judgement) {
  judgement_ = std::move(judgement);
  if (!stopping_) decide();
}

net::Task<void> ClusterMonitor::stop() {
  stopping_ = true;
  for (const auto& node : nodes_) node->poked.notify_all();
  co_await spawner_.join();
}

void ClusterMonitor::report_trouble(core::NodeIndex index, std::string why) {
  require(static_cast<size_t>(index) < nodes_.size(), "a node of another cluster's snapshot");
  Node& node = *nodes_[static_cast<size_t>(index)];
  if (node.gone) return;
  // Nothing changes for a node that is suspect or down: it is being asked as fast as makes sense.
  if (!node.health.on_trouble(why, net::Loop::now())) return;
  log::debug("cluster {}: node {} is probed because a client lost its server: {}", cluster_,
             node.name, why);
  node.history.trouble = true;
  node.poked.notify_all();
}

void ClusterMonitor::show_holding(bool holding) {
  if (holding == shows_holding_) return;
  shows_holding_ = holding;
  log::info("cluster {}: {}", cluster_,
            holding ? "writes are held for a planned change of the primary "
                      "(fairlead.hold_writes_until, or Patroni's schedule)"
                    : "writes are not held any more");
  for (const auto& node : nodes_) node->prober.show_holding(holding);
  want_positions();
}

void ClusterMonitor::want_positions() {
  for (const auto& node : nodes_) {
    if (node->history.wanted) continue;
    node->history.wanted = true;
    node->poked.notify_all();
  }
}

net::Task<void> ClusterMonitor::watch(Node& node) {
  while (!stopping_ && !node.gone) {
    const ProbeOutcome outcome = co_await probe(node);
    if (stopping_ || node.gone) break;
    take(node, outcome);
    decide();
    co_await wait_until_due(node);
  }
  node.prober.disconnect();
  node.ended = true;
}

net::Task<ProbeOutcome> ClusterMonitor::probe(Node& node) {
  const auto awaited = position_to_await(node);
  node.history.started_at = net::Loop::now();
  node.history.wanted = false;
  node.history.awaited = awaited.has_value();
  node.history.trouble = false;
  const net::Alarm alarm(loop_, silence_until_withheld(timing_),
                         [this, &node] { on_silence(node); });
  co_return co_await node.prober.probe(probe_deadline(timing_, node.health.state()), awaited);
}

std::optional<Lsn> ClusterMonitor::position_to_await(const Node& node) const {
  if (!latest_) return std::nullopt;
  return proxy::position_to_await(node.history, node.seen ? &*node.seen : nullptr,
                                  latest_->position, net::Loop::now());
}

net::Task<void> ClusterMonitor::wait_until_due(Node& node) {
  while (!stopping_ && !node.gone) {
    node.history.urgent = latest_ && !latest_->takes_writes();
    const bool awaits = position_to_await(node).has_value();
    const Duration left = next_probe_at(node.history, node.health, awaits) - net::Loop::now();
    if (left <= Duration::zero()) co_return;
    co_await node.poked.wait_for(left);
  }
}

void ClusterMonitor::take(Node& node, const ProbeOutcome& outcome) {
  const Time now = net::Loop::now();
  const bool is_kept_out =
      outcome.result == ProbeResult::kAuthFailed || outcome.result == ProbeResult::kOtherError;
  node.history.ended_at = now;
  node.history.result = outcome.result;
  node.history.kept_out = is_kept_out ? node.history.kept_out + 1 : 0;
  node.silent = false;
  node.probed = true;
  // Another cluster's node answers well, too: that it does not belong here is the topology's to
  // say.
  node.health.on_probe(outcome.result, outcome.detail, now,
                       !outcome.seen || outcome.seen->in_recovery);
  if (!outcome.seen) return;
  node.seen = outcome.seen;
  warn_about_privileges(node);
}

void ClusterMonitor::warn_about_privileges(Node& node) {
  if (node.warned || !node.prober.identity() || node.prober.identity()->sees_receiver) return;
  node.warned = true;
  log::warning(
      "cluster {}: the user \"{}\" may not read pg_stat_wal_receiver on {}, so a replica may be "
      "refused for minutes after a promotion; on the primary: GRANT pg_monitor TO \"{}\"",
      cluster_, config_.login.user, node.name, config_.login.user);
}

void ClusterMonitor::on_silence(Node& node) {
  node.silent = true;
  if (!stopping_ && !node.gone) decide();
}

/// Not before each node was probed once, and Patroni was heard or is known not to answer: the first
/// decision says which cluster this is. Later a new node is one that has not answered yet.
bool ClusterMonitor::may_decide() const {
  return latest_ != nullptr ||
         std::ranges::all_of(nodes_, [](const auto& node) { return node->probed || node->gone; });
}

std::string_view ClusterMonitor::why_no_reads(const Node& node) const {
  const auto managed = std::ranges::find(judgement_.nodes, node.name,
                                         [](const auto& it) { return it.address.to_string(); });
  const bool is_kept = managed != judgement_.nodes.end() && managed->noloadbalance;
  return is_kept ? "is tagged noloadbalance in Patroni" : "";
}

core::NodeView ClusterMonitor::view_of(Node& node) const {
  const ServerEndpoint& endpoint = node.prober.endpoint();
  core::NodeView view{.name = node.name, .host = endpoint.host, .port = endpoint.port};
  view.gone = node.gone;
  if (node.gone) return view;
  const bool is_suspect = node.silent && node.health.state() == NodeState::kUp;
  view.state = is_suspect ? NodeState::kSuspect : node.health.state();
  view.health_reason = node.health.reason();
  view.manager = judgement_.word_on(node.name);
  view.kept_from_reads = why_no_reads(node);
  if (!node.seen) return view;
  if (const auto* history = judgement_.history_of(node.seen->timeline);
      history != nullptr && !node.seen->history)
    node.seen->history = *history;
  view.last = &*node.seen;
  return view;
}

void ClusterMonitor::decide() {
  if (!may_decide()) return;
  std::vector<core::NodeView> views;
  views.reserve(nodes_.size());
  for (const auto& node : nodes_) views.push_back(view_of(*node));
  const Time now = net::Loop::now();
  auto snapshot = std::make_shared<core::ClusterSnapshot>(topology_.decide(views, now));
  snapshot->holds_writes |= snapshot->primary && judgement_.holds_writes(now);
  for (const patroni::Trouble& trouble : judgement_.troubles) {
    if (!snapshot->manager_trouble.empty()) snapshot->manager_trouble += "; ";
    snapshot->manager_trouble += "Patroni: " + trouble.text();
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = *nodes_[i];
    if (node.gone) continue;
    snapshot->nodes[i].silent = node.silent || node.history.result == ProbeResult::kTimeout;
    if (node.silent)
      withhold_from_reads(snapshot->nodes[i],
                          fmt::format("has not answered for {} ms",
                                      silence_until_withheld(timing_).count() / 1000));
    else if (node.history.result != ProbeResult::kOk)
      withhold_from_reads(snapshot->nodes[i], node.health.reason());
  }
  for (const NewsLine& line : news_between(latest_.get(), *snapshot)) {
    if (log::enabled(line.level)) log::write(line.level, "cluster " + cluster_ + ": " + line.text);
  }
  const bool took_writes = latest_ && latest_->takes_writes();
  latest_ = std::move(snapshot);
  if (took_writes && !latest_->takes_writes())  // Whoever may be the next one is asked at once.
    for (const auto& node : nodes_) node->poked.notify_all();
  publish_(latest_);
}

}  // namespace fairlead::proxy
