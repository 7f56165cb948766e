#include "proxy/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "base/log.h"
#include "core/startup_variables.h"
#include "net/dial.h"
#include "net/random.h"
#include "wire/backend_encode.h"

namespace fairlead::proxy {

using net::Task;

namespace {

// Clients above max_client_connections at one time that are still read: to tell them why in a way
// that they understand, and because one of them may be a CancelRequest. More are turned away
// unheard.
constexpr uint32_t kRefusedClientsMax = 100;

void add_node_statements(const Tenant& tenant, WorkerStats& stats) {
  auto& nodes = stats.node_statements[tenant.cluster()];
  nodes.resize(std::max(nodes.size(), tenant.node_statements().size()));
  for (size_t i = 0; i < tenant.node_statements().size(); ++i)
    nodes[i] += tenant.node_statements()[i];
}

/// Ends a login, wherever it is: whoever sees 57P03 tries another host, if it knows one. It is told
/// as far as the socket takes it at once.
void turn_away(net::Stream& stream) {
  if (!stream.in_handshake()) {
    std::string out;
    wire::append_error(out, wire::Severity::kFatal,
                       {ErrorCode::kCannotConnectNow, "the proxy is shutting down"});
    (void)stream.write(out);
    stream.discard_input();
  }
  stream.shutdown();
}

}  // namespace

Worker::Worker(core::WorkerId id, Shared& shared, SettingsPtr settings,
               const std::vector<std::unique_ptr<Worker>>& workers)
    : id_(id),
      shared_(shared),
      settings_(std::move(settings)),
      workers_(workers),
      spawner_(loop_),
      statements_(shared.hash_key, id) {}

Worker::~Worker() = default;

void Worker::run() {
  spawner_.spawn(tick());
  loop_.run();
}

void Worker::post_to_pool(core::WorkerId worker, std::shared_ptr<SharedPool> pool,
                          std::move_only_function<void(Pool&)> work) {
  Worker& target = *workers_.at(static_cast<size_t>(worker));
  target.post([&target, pool = std::move(pool), work = std::move(work)]() mutable {
    const auto found = target.tenants_.find(pool->key().tenant);
    require(found != target.tenants_.end(), "who gets mail for a pool has a share of it");
    work(found->second->pool(pool->key().node));
  });
}

void Worker::listen_on(net::Acceptor acceptor, core::Port port) {
  acceptors_.push_back(std::make_unique<net::Acceptor>(std::move(acceptor)));
  spawner_.spawn(accept(*acceptors_.back(), port));
}

Task<void> Worker::accept(net::Acceptor& acceptor, core::Port port) {
  while (!draining_) {
    auto socket = co_await acceptor.accept();
    if (draining_) break;
    if (socket) {
      spawner_.spawn(serve(std::move(*socket), port));
    } else if (socket.error() == EMFILE || socket.error() == ENFILE) {
      // Accepting again at once would only spin: the next client must wait until somebody leaves.
      log::error("no file descriptors are left for new clients; raise LimitNOFILE (ulimit -n)");
      co_await loop_.sleep(kTickInterval);
    }  // Else the client gave up before it was accepted.
  }
}

Task<void> Worker::serve(net::Socket socket, core::Port port) {
  net::Stream stream(std::move(socket));
  stream.keep_alive(settings_->config->proxy.tcp_keepalive);
  logging_in_.insert(&stream);
  if (draining_) turn_away(stream);
  const uint32_t before = shared_.clients.fetch_add(1);
  std::optional<Task<void>> service = co_await log_in(stream, port, before);
  if (service) co_await std::move(*service);
  stream.close();
  shared_.clients.fetch_sub(1);
}

/// What is to be done with the client; nullopt: nothing. A coroutine of its own, so that nothing of
/// the login is kept for as long as the client stays. `before`: how many others there are.
Task<std::optional<Task<void>>> Worker::log_in(net::Stream& stream, core::Port port,
                                               uint32_t before) {
  const core::RoomForClient room = room_for(stream, before);
  LoginOutcome outcome;
  std::optional<Error> refusal;
  if (room != core::RoomForClient::kEnough) {
    ++stats_.errors_total;
    refusal = too_many_clients(before);
  }
  if (room == core::RoomForClient::kRefuseUnheard) {
    co_await send_fatal(stream, *refusal);
  } else {
    outcome =
        co_await receive_client(loop_, stream, plain_verifiers_, settings_, std::move(refusal));
  }
  logging_in_.erase(&stream);
  if (!outcome || draining_) co_return std::nullopt;
  if (const auto* wish = std::get_if<CancelWish>(&*outcome)) {
    co_await forward_cancel(*wish);
    co_return std::nullopt;
  }
  co_return serve_client(stream, std::get<ClientIdentity>(std::move(*outcome)), port);
}

core::RoomForClient Worker::room_for(const net::Stream& stream, uint32_t before) const {
  using enum core::RoomForClient;
  const uint32_t most = settings_->config->proxy.max_client_connections;
  const core::RoomForClient by_files =
      core::room_for_client(static_cast<uint64_t>(stream.fd()), shared_.open_files_max);
  if (before >= most + kRefusedClientsMax) return kRefuseUnheard;
  return before >= most ? std::max(by_files, kRefuse) : by_files;
}

Error Worker::too_many_clients(uint32_t before) const {
  const uint32_t most = settings_->config->proxy.max_client_connections;
  Error error{ErrorCode::kTooManyConnections, "sorry, too many clients already"};
  if (before >= most) {
    error.detail = fmt::format("max_client_connections is {}", most);
    error.hint = "Raise proxy.max_client_connections.";
  } else {
    error.detail =
        fmt::format("the proxy may have {} open files, and keeps {} of them for servers",
                    shared_.open_files_max, core::files_kept_from_clients(shared_.open_files_max));
    error.hint = "Raise the proxy's limit of open files (LimitNOFILE, ulimit -n).";
  }
  return error;
}

/// What becomes of a client that has logged in. No coroutine itself: what it needs for that is not
/// kept for as long as the client stays.
Task<void> Worker::serve_client(net::Stream& stream, ClientIdentity identity, core::Port port) {
  if (console::is_console(identity.database)) return serve_console(stream, std::move(identity));
  const auto tenant_key = Tenant::key_for(*settings_, identity.database, identity.user);
  if (!tenant_key) {
    return send_fatal(stream, {ErrorCode::kInvalidCatalogName, "the database does not exist",
                               "a reload took it away during the login"});
  }
  Tenant& its_tenant = tenant(*tenant_key);
  its_tenant.learn(identity.credentials);
  if (identity.replication != wire::Replication::kNone)
    return serve_replication(stream, its_tenant, std::move(identity));
  if (const auto* catalog = its_tenant.catalog(); catalog == nullptr || !catalog->is_loaded())
    shared_.control->want_catalog(its_tenant.cluster(), its_tenant.database());
  auto startup = core::startup_variables(identity.settings);
  if (!startup) return send_fatal(stream, startup.error());
  const core::SessionSlot slot = add_session(nullptr);
  return serve_session(its_tenant, slot,
                       std::make_unique<ClientSession>(*this, stream, std::move(*startup),
                                                       its_tenant, make_key(slot, identity), port),
                       std::move(identity.early));
}

Task<void> Worker::serve_replication(net::Stream& stream, Tenant& its_tenant,
                                     ClientIdentity identity) {
  const Tenant::Use in_use(its_tenant);
  Passthrough passthrough(loop_, stream, its_tenant, std::move(identity));
  passing_through_.insert(&passthrough);
  co_await passthrough.serve();
  passing_through_.erase(&passthrough);
}

Task<void> Worker::serve_session(Tenant& its_tenant, core::SessionSlot slot,
                                 std::unique_ptr<ClientSession> session, std::string early) {
  const Tenant::Use in_use(its_tenant);
  sessions_[static_cast<size_t>(slot)] = session.get();
  ++stats_.clients;
  co_await session->serve(std::move(early));
  --stats_.clients;
  remove_session(slot);
}

/// Its slot stays empty: a CancelRequest for it finds nobody.
Task<void> Worker::serve_console(net::Stream& stream, ClientIdentity identity) {
  const core::SessionSlot slot = add_session(nullptr);
  ConsoleSession console(*this, stream, make_key(slot, identity));
  consoles_.insert(&console);
  co_await console.serve(std::move(identity.early));
  consoles_.erase(&console);
  remove_session(slot);
}

core::CancelKey Worker::make_key(core::SessionSlot slot, const ClientIdentity& identity) const {
  const auto random = net::random_value<std::array<std::byte, core::CancelKey::kSecretLong>>();
  return {{id_, slot}, identity.protocol_minor, random};
}

core::SessionSlot Worker::add_session(ClientSession* session) {
  if (free_slots_.empty()) {
    sessions_.push_back(session);
    return core::SessionSlot{static_cast<uint32_t>(sessions_.size() - 1)};
  }
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  sessions_[slot] = session;
  return core::SessionSlot{slot};
}

void Worker::remove_session(core::SessionSlot slot) {
  sessions_[static_cast<size_t>(slot)] = nullptr;
  free_slots_.push_back(static_cast<uint32_t>(slot));
}

/// Returns when the session has it: who asks takes the end of the connection for that, and sends
/// its next statement, which must not be hit (F41).
Task<void> Worker::forward_cancel(CancelWish wish) {
  // Of another worker that is busy, or has ended.
  constexpr Duration kDeliveryTimeout = std::chrono::seconds(1);
  const auto address = core::from_process_id(wish.pid);
  if (!address || static_cast<size_t>(address->worker) >= workers_.size()) co_return;
  struct Delivery {
    explicit Delivery(net::Loop& loop) : changed(loop) {}
    net::Signal changed;
    bool is_done = false;
  };
  const auto delivery = std::make_shared<Delivery>(loop_);
  Worker& owner = *workers_[static_cast<size_t>(address->worker)];
  owner.post([this, &owner, slot = address->slot, wish = std::move(wish), delivery]() mutable {
    const auto index = static_cast<size_t>(slot);
    if (index < owner.sessions_.size() && owner.sessions_[index] != nullptr) {
      owner.sessions_[index]->cancel({wish.pid, wish.secret});
    }
    post([delivery = std::move(delivery)] {
      delivery->is_done = true;
      delivery->changed.notify_all();
    });
  });
  const Time until = net::Loop::now() + kDeliveryTimeout;
  while (!delivery->is_done && net::Loop::now() < until)
    co_await delivery->changed.wait_for(until - net::Loop::now());
}

Tenant& Worker::tenant(const TenantKey& key) {
  auto& found = tenants_[key];
  if (!found) {
    found = std::make_unique<Tenant>(loop_, id_, *this, shared_, settings_, key);
    if (const auto snapshot = snapshots_.find(found->cluster()); snapshot != snapshots_.end())
      found->set_snapshot(snapshot->second);
    if (auto known = catalog(found->cluster(), found->database()); known != nullptr)
      found->set_catalog(std::move(known));
  }
  return *found;
}

void Worker::set_settings(SettingsPtr settings) {
  settings_ = std::move(settings);
  plain_verifiers_.forget_all_but(settings_->users);
  for (auto& [key, tenant] : tenants_) tenant->set_settings(settings_);
}

void Worker::set_snapshot(const std::string& cluster,
                          std::shared_ptr<const core::ClusterSnapshot> snapshot) {
  auto& known = snapshots_[cluster];
  const auto before = std::exchange(known, std::move(snapshot));
  for (auto& [key, tenant] : tenants_) {
    if (tenant->cluster() == cluster) tenant->set_snapshot(known);
  }
  if (before && before->epoch != known->epoch) end_epoch(cluster);
  for (size_t i = 0; i < known->nodes.size(); ++i) {
    if (known->nodes[i].is_unresponsive())
      leave_node(cluster, core::NodeIndex{static_cast<uint16_t>(i)});
  }
}

/// A node may be down for hours, and snapshots come hundreds of times a second: whoever has nothing
/// to do with it is not told.
void Worker::leave_node(const std::string& cluster, core::NodeIndex node) {
  const bool is_used = std::ranges::any_of(tenants_, [&](const auto& entry) {
    return entry.second->cluster() == cluster && entry.second->has_clients_at(node);
  });
  if (!is_used) return;
  for (ClientSession* session : sessions_) {
    if (session != nullptr && session->tenant().cluster() == cluster) session->on_node_down(node);
  }
}

/// Lets go of the primary that was: nothing more is sent there, and nothing that it says reaches a
/// client (E3, E26). Idle servers are the pools' to close.
void Worker::end_epoch(const std::string& cluster) {
  for (size_t i = 0; i < sessions_.size(); ++i) {
    if (sessions_[i] != nullptr && sessions_[i]->tenant().cluster() == cluster)
      sessions_[i]->on_new_epoch();
  }
  for (Passthrough* passthrough : passing_through_)
    if (passthrough->cluster() == cluster) passthrough->close();
}

void Worker::set_catalog(const std::string& cluster, const std::string& database,
                         std::shared_ptr<const sql::FunctionCatalog> catalog) {
  catalogs_[{cluster, database}] = std::move(catalog);
  for (auto& [key, tenant] : tenants_) {
    if (tenant->cluster() == cluster && tenant->database() == database)
      tenant->set_catalog(this->catalog(cluster, database));
  }
}

std::shared_ptr<const sql::FunctionCatalog> Worker::catalog(const std::string& cluster,
                                                            const std::string& database) const {
  const auto known = catalogs_.find({cluster, database});
  if (known != catalogs_.end() && known->second != nullptr) return known->second;
  return sql::FunctionCatalog::not_loaded();
}

Task<void> Worker::tick() {
  while (!stopping_) {
    co_await loop_.sleep(kTickInterval);
    const Time now = net::Loop::now();
    for (size_t i = 0; i < sessions_.size(); ++i) {
      if (sessions_[i] != nullptr) sessions_[i]->tick(now);
    }
    for (ConsoleSession* console : consoles_) console->tick(now);
    const config::Proxy& limits = settings_->config->proxy;
    const core::PoolIdleConfig idle{limits.min_servers, limits.server_idle_timeout,
                                    limits.server_lifetime};
    for (auto& [key, tenant] : tenants_) tenant->tick(idle, now);
    forget_unused_tenants();
  }
}

void Worker::forget_unused_tenants() {
  const size_t forgotten = std::erase_if(tenants_, [&](const auto& entry) {
    const Tenant& tenant = *entry.second;
    if (!tenant.is_unused()) return false;
    add_node_statements(tenant, stats_);
    return true;
  });
  if (forgotten > 0) shared_.pools.forget_unused();
}

WorkerStats Worker::stats() const {
  WorkerStats copy = stats_;
  for (const auto& [key, tenant] : tenants_) add_node_statements(*tenant, copy);
  return copy;
}

void Worker::drain() {
  if (draining_) return;
  draining_ = true;
  for (auto& acceptor : acceptors_) acceptor->close();
  for (ClientSession* session : sessions_) {
    if (session != nullptr) session->end(false);
  }
  for (ConsoleSession* console : consoles_) console->end(false);
  for (Passthrough* passthrough : passing_through_) passthrough->end();
  for (net::Stream* stream : logging_in_) turn_away(*stream);
}

void Worker::stop() {
  drain();
  if (stopping_) return;
  stopping_ = true;
  net::start(loop_, end_all());
}

Task<void> Worker::end_all() {
  for (ClientSession* session : sessions_) {
    if (session != nullptr) session->end(true);
  }
  for (ConsoleSession* console : consoles_) console->end(true);
  for (Passthrough* passthrough : passing_through_) passthrough->close();
  co_await spawner_.join();
  for (auto& [key, tenant] : tenants_) tenant->for_each_pool([](Pool& pool) { pool.close_all(); });
  for (auto& [key, tenant] : tenants_) co_await tenant->join();
  loop_.stop();
}

}  // namespace fairlead::proxy
