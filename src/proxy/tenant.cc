#include "proxy/tenant.h"

#include <algorithm>

namespace fairlead::proxy {
namespace {

using core::NodeIndex;

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

sql::ReadConsistency level_of(config::Consistency consistency) {
  using sql::ReadConsistency;
  switch (consistency) {
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

/// Uniform enough to spread reads; secrecy is of no importance here (xorshift64*).
uint64_t next_random(uint64_t& state) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545F4914F6CDD1DULL;
}

/// Of a database that is configured.
config::Database config_of(const config::Config& config, const TenantKey& key) {
  return config::for_user(*config.find_database(key.name), config.find_user(key.user));
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
      config_(config_of(*settings_->config, key_)),
      known_(shared.hash_key),
      options_(choice_options()),
      balancer_(method_of(config_.balance)),
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
  is_current_ = key_for(*settings, key_.name, key_.user) == key_;
  if (!is_current_) return;  // Those that are there stay where they are.
  settings_ = std::move(settings);
  config_ = config_of(*settings_->config, key_);
  options_ = choice_options();
  balancer_ = core::Balancer(method_of(config_.balance));
  use_stored_secret();
  for (auto& [node, pool] : pools_) {
    pool->set_opening(opening(node));
    pool->shared().with_queue([&](core::PoolQueue& queue) { queue.set_size(config_.pool_size); });
  }
}

/// Clients that stay log in no more, and their servers' password may be another one by now. Keys
/// that a login taught are not on file: they stay.
void Tenant::use_stored_secret() {
  const auth::Secret* secret = settings_->users.find(key_.user);
  if (secret == nullptr) return;
  auth::ServerCredentials stored = auth::to_server_credentials(*secret);
  if (!std::holds_alternative<std::monostate>(stored)) credentials_ = std::move(stored);
}

void Tenant::set_snapshot(std::shared_ptr<const core::ClusterSnapshot> snapshot) {
  snapshot_ = std::move(snapshot);
  follow_nodes();
  for (auto& [node, pool] : pools_) pool->set_epoch(snapshot_->epoch);
  positions_queue_.on_positions();
}

/// The list of nodes changes at run time; their numbers stay (core/node_slots.h).
void Tenant::follow_nodes() {
  if (node_statements_.size() < snapshot_->nodes.size())
    node_statements_.resize(snapshot_->nodes.size());
  for (auto& [index, pool] : pools_) {
    const core::NodeStatus& node = snapshot_->node(index);
    pool->set_retired(node.gone);
    const ServerEndpoint& known = pool->opening().endpoint;
    if (known.port != node.port || known.host != node.host) pool->set_opening(opening(index));
  }
}

bool Tenant::has_clients_at(NodeIndex node) const {
  const auto pool = pools_.find(node);
  return pool != pools_.end() && pool->second->has_clients();
}

void Tenant::tick(core::PoolIdleConfig idle, Time now) {
  if (!is_current_) idle.min_servers = 0;
  for (auto& [node, pool] : pools_) pool->tick(idle, snapshot_->epoch, now);
  std::erase_if(pools_, [](const auto& entry) {
    return entry.second->is_retired() && entry.second->is_unused();
  });
}

void Tenant::set_catalog(std::shared_ptr<const sql::FunctionCatalog> catalog) {
  catalog_ = std::move(catalog);
  known_.clear();
  activity_->on_new_catalog();
}

void Tenant::note_catalog_change(Time now, core::CatalogChange change) {
  const bool tells_apart = activity_->tells_tables_apart(catalog_.get());
  activity_->count_catalog_change(now, change);
  if (change == core::CatalogChange::kPerhaps) {
    if (tells_apart) shared_.control->catalog_doubted(key_.cluster, key_.database);
    return;
  }
  known_.clear();
  shared_.control->catalog_changed(key_.cluster, key_.database);
}

core::ChoiceOptions Tenant::choice_options() const {
  return {.consistency = level_of(config_.consistency),
          .max_lag = config_.max_lag,
          .freshness_wait = config_.freshness_wait,
          .pool_timeout = config_.pool_timeout,
          .failover_hold = config_.failover_hold,
          .primary_reads = config_.primary_reads,
          .observes = observes()};
}

PoolOpening Tenant::opening(NodeIndex node) const {
  const ClusterSettings& cluster = settings_->clusters.at(key_.cluster);
  const core::NodeStatus& status = snapshot_->node(node);
  ServerEndpoint endpoint =
      cluster.endpoint(status.host, status.port, settings_->config->proxy.server_connect_timeout);
  endpoint.keepalive = settings_->config->proxy.tcp_keepalive;
  return {.endpoint = std::move(endpoint),
          .login = {.user = key_.user,
                    .database = key_.database,
                    .credentials = credentials_,
                    .derived = derived_keys_,
                    .parameters = {},
                    .question = LoginQuestion::kStart},
          .hash_key = shared_.hash_key,
          .prepared_statements_max = settings_->config->proxy.prepared_statements_per_server};
}

Pool& Tenant::pool(NodeIndex node) {
  auto& pool = pools_[node];
  if (!pool) {
    const PoolKey key{.node = node, .tenant = key_};
    pool = std::make_unique<Pool>(loop_, worker_, mail_,
                                  shared_.pools.find_or_add(key, {.size = config_.pool_size}),
                                  opening(node));
    // Its account may be older: of before a reload, when the node was in the list last.
    pool->shared().with_queue([&](core::PoolQueue& queue) { queue.set_size(config_.pool_size); });
    pool->set_epoch(snapshot_->epoch);
    pool->set_retired(snapshot_->node(node).gone);
  }
  return *pool;
}

core::Choice Tenant::choose(const core::LeaseWish& wish, Time arrived,
                            const core::SessionState& session) {
  const core::Choice choice = core::choose_node(wish, history_of(arrived, session, wish.reads),
                                                view(), balancer_, next_random(random_));
  if (choice.wants_positions) want_positions();
  return choice;
}

core::StillShows Tenant::still_shows(const core::ServerState& server, const core::Route& route,
                                     Time arrived, const core::RequestPlan& reads,
                                     const core::SessionState& session) {
  return core::still_shows(server.node, server.opened_at, route,
                           history_of(arrived, session, &reads), view());
}

core::Foreseen Tenant::foresee(const core::ObservedRequest& request, Time arrived,
                               const core::SessionState& session) {
  const auto [foreseen, wants_positions] =
      core::foresee(request.would.route, history_of(arrived, session, request.reads), view());
  if (wants_positions) want_positions();
  return foreseen;
}

core::ReadHistory Tenant::history_of(Time arrived, const core::SessionState& session,
                                     const core::RequestPlan* reads) const {
  return {.arrived = arrived,
          .own_write = session.wrote_at,
          .others_write = activity_->last_write(reads, catalog_.get()),
          .answered = session.answered};
}

core::ChoiceView Tenant::view() {
  const size_t nodes = snapshot_->nodes.size();
  in_use_.resize(nodes);
  candidates_.resize(nodes);
  for (size_t i = 0; i < nodes; ++i) {
    if (i == node_in_use_.size()) {
      node_in_use_.push_back(
          shared_.pools.in_use_of(key_.cluster, NodeIndex{static_cast<uint16_t>(i)}));
    }
    in_use_[i] = node_in_use_[i]->load(std::memory_order_relaxed);
  }
  return {.cluster = *snapshot_,
          .options = options_,
          .in_use = in_use_,
          .scratch = candidates_,
          .now = net::Loop::now()};
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
