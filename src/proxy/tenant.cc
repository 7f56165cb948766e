#include "proxy/tenant.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/token.h"
#include "wire/printable.h"

namespace fairlead::proxy {
namespace {

using core::NodeIndex;
using core::NoReplica;
using core::Target;
using sql::Reason;

core::BalanceMethod method_of(config::Balance balance) {
  switch (balance) {
    case config::Balance::kLeastBusy:
      return core::BalanceMethod::kLeastBusy;
    case config::Balance::kRoundRobin:
      return core::BalanceMethod::kRoundRobin;
    case config::Balance::kRandom:
      return core::BalanceMethod::kRandom;
    case config::Balance::kSticky:
      return core::BalanceMethod::kSticky;
  }
  return core::BalanceMethod::kLeastBusy;
}

Reason reason_of(NoReplica why) {
  switch (why) {
    case NoReplica::kFloorPending:
    case NoReplica::kAllBehindFloor:
      return Reason::kOwnWrite;
    case NoReplica::kSnapshotStale:
    case NoReplica::kNoneUsable:
    case NoReplica::kAllLag:
      return Reason::kNoReplica;
  }
  return Reason::kNoReplica;
}

/// Uniform enough to spread reads; secrecy is of no importance here (xorshift64*).
uint64_t next_random(uint64_t& state) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545F4914F6CDD1DULL;
}

}  // namespace

Tenant::Tenant(net::Loop& loop, core::WorkerId worker, PoolMail& mail, Shared& shared,
               SettingsPtr settings, TenantKey key)
    : loop_(loop),
      worker_(worker),
      mail_(mail),
      shared_(shared),
      settings_(std::move(settings)),
      key_(std::move(key)),
      config_(settings_->config->find_database(key_.name)),
      user_options_(settings_->config->find_user(key_.user)),
      known_(shared.hash_key),
      balancer_(method_of(config_->balance)),
      node_statements_(settings_->clusters.at(key_.cluster).nodes.size()),
      activity_(shared.pools.activity_of(key_.cluster, key_.database)),
      positions_queue_(loop) {}

std::optional<TenantKey> Tenant::key_for(const Settings& settings, std::string name,
                                         std::string user) {
  const config::Database* config = settings.config->find_database(name);
  if (config == nullptr) return std::nullopt;
  std::string database = config->database.empty() ? name : config->database;
  return TenantKey{.name = std::move(name),
                   .user = std::move(user),
                   .cluster = config->cluster,
                   .database = std::move(database)};
}

void Tenant::learn(auth::ServerCredentials credentials) {
  if (std::holds_alternative<std::monostate>(credentials) || credentials == credentials_) return;
  credentials_ = std::move(credentials);
  for (auto& [node, pool] : pools_) pool->set_opening(opening(node));
}

void Tenant::set_settings(SettingsPtr settings) {
  if (key_for(*settings, key_.name, key_.user) != key_)
    return;  // New sessions get a new tenant; those that are there stay where they are.
  settings_ = std::move(settings);
  config_ = settings_->config->find_database(key_.name);
  user_options_ = settings_->config->find_user(key_.user);
  balancer_ = core::Balancer(method_of(config_->balance));
  for (auto& [node, pool] : pools_) {
    pool->set_opening(opening(node));
    pool->shared().with_queue([&](core::PoolQueue& queue) { queue.set_size(config_->pool_size); });
  }
}

void Tenant::set_snapshot(std::shared_ptr<const core::ClusterSnapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  for (auto& [node, pool] : pools_) pool->set_epoch(snapshot_->epoch);
  positions_queue_.on_positions();
}

void Tenant::set_catalog(std::shared_ptr<const sql::FunctionCatalog> catalog) {
  catalog_ = std::move(catalog);
  known_.clear();
  activity_->writes.forget_tables();  // The change may have been nobody's who came through here.
}

void Tenant::note_write(Time now, const core::WrittenTables& tables) {
  const sql::FunctionCatalog* catalog = tables_catalog();
  const bool is_current = catalog != nullptr && catalog->generation() == tables.generation();
  if (is_current || tables.ids().empty()) return activity_->writes.note(now, tables);
  core::WrittenTables any;
  any.add_whole_database();
  activity_->writes.note(now, any);
}

void Tenant::count_catalog_change(Time now) {
  ++activity_->catalog_changes;
  activity_->catalog_changed_at = now.time_since_epoch().count();
}

bool Tenant::reads_until_write() const {
  const auto users = user_options_ != nullptr ? user_options_->transaction_reads
                                              : std::optional<config::TransactionReads>();
  return users.value_or(config_->transaction_reads) == config::TransactionReads::kUntilWrite;
}

sql::ReadConsistency Tenant::consistency_of(const core::ReadWish& read) const {
  using sql::ReadConsistency;
  if (read.consistency) return *read.consistency;
  const auto users =
      user_options_ != nullptr ? user_options_->consistency : std::optional<config::Consistency>();
  switch (users.value_or(config_->consistency)) {
    case config::Consistency::kEventual:
      return ReadConsistency::kEventual;
    case config::Consistency::kSession:
      return ReadConsistency::kSession;
    case config::Consistency::kApp:
      return ReadConsistency::kApp;
    case config::Consistency::kStrict:
      return ReadConsistency::kStrict;
  }
  return ReadConsistency::kStrict;
}

PoolOpening Tenant::opening(NodeIndex node) const {
  const ClusterSettings& cluster = settings_->clusters.at(key_.cluster);
  ServerEndpoint endpoint = cluster.nodes.at(static_cast<size_t>(node));
  endpoint.timeout = settings_->config->proxy.server_connect_timeout;
  return {.endpoint = std::move(endpoint),
          .login = {.user = key_.user,
                    .database = key_.database,
                    .credentials = credentials_,
                    .parameters = {}},
          .hash_key = shared_.hash_key,
          .prepared_statements_max = settings_->config->proxy.prepared_statements_per_server,
          .application_name = "fairlead"};
}

Pool& Tenant::pool(NodeIndex node) {
  auto& pool = pools_[node];
  if (!pool) {
    const PoolKey key{.node = node, .tenant = key_};
    pool = std::make_unique<Pool>(loop_, worker_, mail_,
                                  shared_.pools.find_or_add(key, {.size = config_->pool_size}),
                                  opening(node));
    pool->set_epoch(snapshot_->epoch);
  }
  return *pool;
}

Choice Tenant::choose(const core::LeaseWish& wish, Time arrived,
                      const core::SessionState& session) {
  const core::Route& route = wish.route;
  if (!route.node.empty()) return {.now = choose_named(route)};
  // A greeting needs the primary only because a new database is there first.
  const bool anywhere = route.reason == Reason::kLocal && !snapshot_->primary && !observes();
  if (route.target == Target::kReplica || anywhere) return choose_replica(wish, arrived, session);
  return choose_primary(route.reason);
}

Choice Tenant::choose_primary(Reason reason) const {
  const core::ClusterSnapshot& cluster_now = *snapshot_;
  if (cluster_now.primary) {
    return {.now = NodeChoice{
                .node = *cluster_now.primary, .target = Target::kPrimary, .reason = reason}};
  }
  return {.now = fail(ErrorCode::kCannotConnectNow, "there is no primary to send this statement to",
                      cluster_now.why_no_primary(),
                      "Reads go on. Look at the nodes with \"fairlead check\"."),
          .patience = config_->failover_hold};
}

/// The read port has no primary to go to, so there patience is all.
Duration Tenant::patience_of_read(const core::Route& route) const {
  return route.replica_only ? config_->pool_timeout : config_->freshness_wait;
}

Result<NodeChoice> Tenant::choose_named(const core::Route& route) const {
  const core::ClusterSnapshot& cluster_now = *snapshot_;
  for (size_t i = 0; i < cluster_now.nodes.size(); ++i) {
    const core::NodeStatus& node = cluster_now.nodes[i];
    if (node.name != route.node) continue;
    const NodeIndex index{static_cast<uint16_t>(i)};
    const bool is_primary = cluster_now.primary == index;
    if (!is_primary && !node.usable_for_reads) break;
    return NodeChoice{.node = index,
                      .target = is_primary ? Target::kPrimary : Target::kReplica,
                      .reason = route.reason};
  }
  return fail(
      ErrorCode::kCannotConnectNow,
      fmt::format("the node \"{}\" cannot serve this statement", wire::printable(route.node)),
      "it is not one of the cluster's nodes, or it is not usable for reads now",
      "Set fairlead.route to 'auto' or to the host:port of a healthy node.");
}

Choice Tenant::choose_replica(const core::LeaseWish& wish, Time arrived,
                              const core::SessionState& session) {
  const core::Route& route = wish.route;
  const core::ClusterSnapshot& cluster_now = *snapshot_;
  const auto needs = needs_of(route, history_of(arrived, session, wish.reads));
  if (!needs) return {.now = std::unexpected(needs.error())};
  const core::Freshness freshness = find_eligible(*needs);
  Reason why = Reason::kNoReplica;
  if (const auto* eligible = std::get_if<core::Eligible>(&freshness)) {
    if (const auto node = pick(eligible->count, wish.kept, wish.avoid)) {
      const bool is_primary = cluster_now.primary == *node;
      return {.now = NodeChoice{.node = *node,
                                .target = is_primary ? Target::kPrimary : Target::kReplica,
                                .reason = route.reason,
                                .opened_before = core::opened_before(cluster_now, *needs, *node)}};
    }
  } else if (const auto* wait = std::get_if<core::WaitForFreshness>(&freshness)) {
    why = reason_of(wait->reason);
  } else {
    why = reason_of(std::get<core::UsePrimary>(freshness).reason);
  }
  if (why == Reason::kOwnWrite) shared_.control->want_positions(key_.cluster);
  const Duration patience = why == Reason::kOwnWrite ? patience_of_read(route) : Duration{};
  if (!route.replica_only) {
    Choice primary = choose_primary(why);
    primary.patience = std::max(primary.patience, patience);
    return primary;
  }
  return {.now = fail(ErrorCode::kCannotConnectNow, "there is no replica to send this statement to",
                      std::string(sql::reason_description(why)),
                      "Connect to the automatic port to read from the primary meanwhile."),
          .patience = patience};
}

/// The catalog, if it tells which tables belong together now.
const sql::FunctionCatalog* Tenant::tables_catalog() const {
  const Time changed{Duration{activity_->catalog_changed_at.load()}};
  return catalog_ != nullptr && catalog_->as_of() > changed ? catalog_.get() : nullptr;
}

core::ReadHistory Tenant::history_of(Time arrived, const core::SessionState& session,
                                     const core::RequestPlan* reads) const {
  return {.arrived = arrived,
          .own_write = session.wrote_at,
          .others_write = activity_->writes.of(reads, tables_catalog()),
          .answered = session.answered};
}

/// Error: fairlead.min_lsn cannot be satisfied by this cluster.
Result<core::ReadNeeds> Tenant::needs_of(const core::Route& route,
                                         const core::ReadHistory& history) const {
  core::ReadNeeds needs{.max_lag = route.read.max_lag.value_or(config_->max_lag),
                        .primary_reads = config_->primary_reads && !route.replica_only};
  core::set_floors(consistency_of(route.read), history, snapshot_->positions, needs);
  if (!route.read.min_lsn) return needs;
  const auto asked = core::floor_of(*route.read.min_lsn, *snapshot_, history.arrived);
  if (!asked) return std::unexpected(asked.error());
  needs.floor = core::higher_floor(needs.floor, *asked);
  if (needs.same_node) needs.same_node->floor = core::higher_floor(needs.same_node->floor, *asked);
  return needs;
}

core::Foreseen Tenant::foresee(const core::ObservedRequest& request, Time arrived,
                               const core::SessionState& session) {
  const core::Route& route = request.would.route;
  using core::Foreseen;
  if (!route.node.empty()) {
    const auto named = choose_named(route);
    if (!named) return Foreseen::kFails;
    return named->target == Target::kReplica ? Foreseen::kMoves : Foreseen::kStays;
  }
  core::ReadHistory history = history_of(arrived, session, request.reads);
  history.answered = {};  // By the primary, for the sake of the mode alone (D21).
  auto needs = needs_of(route, history);
  if (!needs) return Foreseen::kFails;
  needs->primary_reads = false;  // It would take its share of what could move.
  const core::Freshness freshness = find_eligible(*needs);
  if (std::holds_alternative<core::Eligible>(freshness)) return Foreseen::kMoves;
  const auto* wait = std::get_if<core::WaitForFreshness>(&freshness);
  const Reason why =
      reason_of(wait != nullptr ? wait->reason : std::get<core::UsePrimary>(freshness).reason);
  if (why != Reason::kOwnWrite) return Foreseen::kNoReplica;
  shared_.control->want_positions(key_.cluster);
  return Foreseen::kWaits;
}

/// Fills candidates_.
core::Freshness Tenant::find_eligible(const core::ReadNeeds& needs) {
  const size_t nodes = snapshot_->nodes.size();
  in_use_.assign(nodes, 0);
  candidates_.resize(nodes);
  for (size_t i = 0; i < nodes; ++i) {
    if (i == node_in_use_.size()) {
      node_in_use_.push_back(
          shared_.pools.in_use_of(key_.cluster, NodeIndex{static_cast<uint16_t>(i)}));
    }
    in_use_[i] = node_in_use_[i]->load(std::memory_order_relaxed);
  }
  return core::find_eligible(*snapshot_, needs, in_use_, net::Loop::now(), candidates_);
}

/// One of the first `eligible` candidates, but for `avoid`; none if that is the only one.
std::optional<NodeIndex> Tenant::pick(size_t eligible, std::optional<NodeIndex> kept,
                                      std::optional<NodeIndex> avoid) {
  std::span<core::Candidate> candidates(candidates_.data(), eligible);
  if (avoid) {
    const auto end = std::remove_if(candidates.begin(), candidates.end(),
                                    [&](const auto& c) { return c.node == *avoid; });
    candidates = candidates.first(static_cast<size_t>(end - candidates.begin()));
  }
  if (candidates.empty()) return {};
  return balancer_.pick(candidates, kept, next_random(random_));
}

bool Tenant::is_unused() const {
  return uses_ == 0 && positions_queue_.is_unused() &&
         std::ranges::all_of(pools_, [](const auto& pool) { return pool.second->is_unused(); });
}

net::Task<void> Tenant::join() {
  positions_queue_.stop();
  co_await positions_queue_.join();
  for (auto& [node, pool] : pools_) co_await pool->join();
}

const core::ReportedParameters* Tenant::welcome(const core::VariableSet& startup) const {
  for (const auto& [known, reported] : welcomes_) {
    if (known == startup) return &reported;
  }
  return nullptr;
}

void Tenant::remember_welcome(const core::VariableSet& startup,
                              const core::ReportedParameters& reported) {
  for (auto& [known, kept] : welcomes_) {
    if (known == startup) {
      kept = reported;
      return;
    }
  }
  if (welcomes_.size() == kWelcomesMax) welcomes_.erase(welcomes_.begin());
  welcomes_.emplace_back(startup, reported);
}

}  // namespace fairlead::proxy
