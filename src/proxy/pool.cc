#include "proxy/pool.h"

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"

namespace fairlead::proxy {
namespace {

using core::SlotState;

/// Unique over all workers: a server keeps its number when it moves.
uint64_t next_server_id() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

// How many idle servers are looked through for one that needs no state replay. Looking costs less
// than a round trip.
constexpr size_t kAffinitySearchMax = 8;

}  // namespace

Pool::Pool(net::Loop& loop, core::WorkerId worker, PoolMail& mail,
           std::shared_ptr<SharedPool> shared, PoolOpening opening)
    : loop_(loop),
      worker_(worker),
      mail_(mail),
      shared_(std::move(shared)),
      opening_(std::move(opening)),
      spawner_(loop) {}

ServerConnection* Pool::leased(ServerConnection* server) {
  owned_.at(server->state().id).slot = SlotState::kBusy;
  shared_->count_lease(+1);
  return server;
}

ServerConnection* Pool::take_idle(const core::VariableSet& variables) {
  require(!idle_.empty(), "the pool's account promised an idle server that is not there");
  size_t best = idle_.size() - 1;
  const size_t first = idle_.size() > kAffinitySearchMax ? idle_.size() - kAffinitySearchMax : 0;
  for (size_t i = idle_.size(); i-- > first;) {
    if (idle_[i]->state().variables == variables) {
      best = i;
      break;
    }
  }
  ServerConnection* server = idle_[best];
  idle_.erase(idle_.begin() + static_cast<ptrdiff_t>(best));
  return leased(server);
}

Pool::Attempt Pool::acquire(const core::VariableSet& variables) {
  Attempt attempt{.since = net::Loop::now()};
  attempt.answer = shared_->with_queue(
      [&](core::PoolQueue& queue) { return queue.acquire(worker_, attempt.since); });
  if (std::holds_alternative<core::TakeIdle>(attempt.answer)) attempt.server = take_idle(variables);
  return attempt;
}

net::Task<std::expected<ServerConnection*, NoServer>> Pool::finish(PoolWaiter& waiter,
                                                                   Attempt attempt,
                                                                   Duration timeout) {
  waiter.since_ = attempt.since;
  if (std::holds_alternative<core::Open>(attempt.answer)) co_return co_await open();
  if (std::holds_alternative<core::Refuse>(attempt.answer))
    co_return std::unexpected(NoServer{NoServer::Why::kQueueFull});
  if (const auto* steal = std::get_if<core::Steal>(&attempt.answer)) {
    const uint64_t id = ++next_steal_;
    stealing_.emplace(id, &waiter);
    mail_.post_to_pool(steal->from, shared_,
                       [thief = worker_, id](Pool& pool) { pool.steal_for(thief, id); });
    co_return co_await wait(waiter, std::nullopt, timeout);
  }
  const core::Ticket ticket = std::get<core::Wait>(attempt.answer).ticket;
  queued_.push_back({ticket, &waiter});
  co_return co_await wait(waiter, ticket, timeout);
}

/// `ticket` is empty while a server is on its way from another worker: that cannot be called off,
/// so it is waited for and given back if it is not wanted any more.
net::Task<std::expected<ServerConnection*, NoServer>> Pool::wait(PoolWaiter& waiter,
                                                                 std::optional<core::Ticket> ticket,
                                                                 Duration timeout) {
  const Time until = waiter.since_ + timeout;
  waiter.waiting_ = true;
  bool expired = false;
  while (waiter.outcome_ == PoolWaiter::Outcome::kNone) {
    const Time now = net::Loop::now();
    expired = timeout.count() > 0 && now >= until;
    if (ticket && (waiter.canceled_ || expired)) {
      const bool forgotten =
          shared_->with_queue([&](core::PoolQueue& queue) { return queue.cancel(*ticket); });
      if (forgotten) {
        take_waiter(*ticket);
        waiter.waiting_ = false;
        co_return std::unexpected(
            NoServer{waiter.canceled_ ? NoServer::Why::kCanceled : NoServer::Why::kTimeout});
      }
      ticket.reset();  // An answer is on its way.
      continue;
    }
    if (timeout.count() > 0 && ticket) {
      co_await waiter.changed_.wait_for(until - now);
    } else {
      co_await waiter.changed_.wait();
    }
  }
  waiter.waiting_ = false;
  if (waiter.outcome_ == PoolWaiter::Outcome::kServer) {
    if (!waiter.canceled_) co_return waiter.server_;
    release(*waiter.server_);
    co_return std::unexpected(NoServer{NoServer::Why::kCanceled});
  }
  if (!waiter.canceled_) co_return co_await open();
  grant(shared_->with_queue(
      [&](core::PoolQueue& queue) { return queue.on_closed(worker_, SlotState::kOpening); }));
  co_return std::unexpected(NoServer{NoServer::Why::kCanceled});
}

net::Task<std::expected<ServerConnection*, NoServer>> Pool::open() {
  const uint64_t epoch = epoch_;
  const PoolOpening opening = opening_;
  auto logged_in = co_await log_in(loop_, opening.endpoint, opening.login);
  if (!logged_in) {
    log::warning("no server for {}/{}: {}", shared_->key().database, shared_->key().user,
                 describe(logged_in.error().error));
    grant(shared_->with_queue(
        [&](core::PoolQueue& queue) { return queue.on_closed(worker_, SlotState::kOpening); }));
    co_return std::unexpected(NoServer{NoServer::Why::kLoginFailed, std::move(logged_in.error())});
  }
  shared_->with_queue([&](core::PoolQueue& queue) { queue.on_opened(worker_); });
  ServerState state{
      .node = shared_->key().node,
      .id = next_server_id(),
      .epoch = epoch,
      .backend_pid = logged_in->backend_pid,
      .cancel_secret = std::move(logged_in->cancel_secret),
      .login_reported = {},
      .reported = {},
      .variables = {},
      .statements = core::ServerStatements(opening.hash_key, opening.prepared_statements_max),
      .opened_at = net::Loop::now(),
      .idle_since = {}};
  for (const auto& [name, value] : logged_in->reported) state.login_reported.set(name, value);
  state.reported = state.login_reported;
  co_return leased(adopt(std::move(logged_in->stream), std::move(state)));
}

ServerConnection* Pool::adopt(std::unique_ptr<net::Stream> stream, ServerState state) {
  const uint64_t id = state.id;
  Owned& owned = owned_[id];
  owned.server = std::make_unique<ServerConnection>(loop_, std::move(stream), std::move(state));
  owned.slot = SlotState::kBusy;
  spawner_.spawn(run_server(id));
  return owned.server.get();
}

net::Task<void> Pool::run_server(uint64_t id) {
  ServerConnection& server = *owned_.at(id).server;
  co_await server.read();
  co_await server.join();
  Owned owned = std::move(owned_.at(id));
  owned_.erase(id);
  if (owned.departure) {
    // One that died on its way is sent all the same, without a connection: the other side has the
    // slot.
    owned.departure(server.lost() ? ServerConnection::Parts{} : server.take_apart());
    co_return;
  }
  std::erase(idle_, &server);
  if (owned.slot == SlotState::kBusy) shared_->count_lease(-1);
  grant(shared_->with_queue(
      [&](core::PoolQueue& queue) { return queue.on_closed(worker_, owned.slot); }));
}

void Pool::release(ServerConnection& server) {
  server.end_lease();
  Owned& owned = owned_.at(server.state().id);
  if (!server.is_clean() || server.state().epoch != epoch_) return discard(server);
  server.state().idle_since = net::Loop::now();
  const core::Handover handover =
      shared_->with_queue([&](core::PoolQueue& queue) { return queue.release(worker_); });
  if (std::holds_alternative<core::KeepIdle>(handover)) {
    shared_->count_lease(-1);
    owned.slot = SlotState::kIdle;
    idle_.push_back(&server);
  } else if (const auto* to = std::get_if<core::GiveTo>(&handover)) {
    give(server, *to);
  } else {
    shared_->count_lease(-1);
    owned.slot = SlotState::kClosing;
    server.close(true);
  }
}

void Pool::discard(ServerConnection& server) {
  server.end_lease();
  server.close(server.is_clean());
}

void Pool::give(ServerConnection& server, core::GiveTo to) {
  if (to.worker == worker_) return serve(take_waiter(to.ticket), server);
  // From now on it counts as busy over there.
  depart(server, [this, to](ServerConnection::Parts parts) mutable {
    mail_.post_to_pool(to.worker, shared_,
                       [ticket = to.ticket, parts = std::move(parts)](Pool& pool) mutable {
                         pool.on_gift(ticket, std::move(parts));
                       });
  });
}

void Pool::depart(ServerConnection& server, Departure departure) {
  shared_->count_lease(-1);
  owned_.at(server.state().id).departure = std::move(departure);
  server.stop_reading();
}

void Pool::grant(std::optional<core::GrantOpen> granted) {
  if (!granted) return;
  if (granted->worker == worker_) return on_grant(granted->ticket);
  mail_.post_to_pool(granted->worker, shared_,
                     [ticket = granted->ticket](Pool& pool) { pool.on_grant(ticket); });
}

void Pool::on_grant(core::Ticket ticket) {
  PoolWaiter* waiter = take_waiter(ticket);
  require(waiter != nullptr, "a grant came for a waiter that is not there");
  waiter->outcome_ = PoolWaiter::Outcome::kOpen;
  waiter->changed_.notify_all();
}

void Pool::on_gift(core::Ticket ticket, ServerConnection::Parts parts) {
  receive(take_waiter(ticket), std::move(parts));
}

/// A server has come from another worker, where it was counted as ours already.
void Pool::receive(PoolWaiter* waiter, ServerConnection::Parts parts) {
  require(waiter != nullptr, "a server came for a waiter that is not there");
  if (parts.stream.fd < 0) {
    shared_->with_queue([&](core::PoolQueue& queue) { queue.reopen(worker_); });
    waiter->outcome_ = PoolWaiter::Outcome::kOpen;
    waiter->changed_.notify_all();
    return;
  }
  shared_->count_lease(+1);
  serve(waiter, *adopt(std::make_unique<net::Stream>(loop_, std::move(parts.stream)),
                       std::move(parts.state)));
}

void Pool::serve(PoolWaiter* waiter, ServerConnection& server) {
  require(waiter != nullptr, "a server came for a waiter that is not there");
  waiter->outcome_ = PoolWaiter::Outcome::kServer;
  waiter->server_ = &server;
  waiter->changed_.notify_all();
}

PoolWaiter* Pool::take_waiter(core::Ticket ticket) {
  const auto found = std::find_if(queued_.begin(), queued_.end(),
                                  [&](const Queued& q) { return q.ticket == ticket; });
  if (found == queued_.end()) return nullptr;
  PoolWaiter* waiter = found->waiter;
  queued_.erase(found);
  return waiter;
}

void Pool::steal_for(core::WorkerId thief, uint64_t waiter_id) {
  const auto answer = shared_->with_queue(
      [&](core::PoolQueue& queue) { return queue.on_steal_request(worker_, thief); });
  if (answer == core::StealAnswer::kOpenInstead) {
    mail_.post_to_pool(thief, shared_,
                       [waiter_id](Pool& pool) { pool.on_open_instead(waiter_id); });
    return;
  }
  require(!idle_.empty(),
          "the pool's account promised an idle server to a thief that is not there");
  ServerConnection* server = idle_.front();  // The one that its own clients would take last.
  idle_.erase(idle_.begin());
  shared_->count_lease(
      +1);  // depart() takes it off again; the slot is busy on the thief's side meanwhile.
  depart(*server, [this, thief, waiter_id](ServerConnection::Parts parts) mutable {
    mail_.post_to_pool(thief, shared_, [waiter_id, parts = std::move(parts)](Pool& pool) mutable {
      pool.on_arrival(waiter_id, std::move(parts));
    });
  });
}

void Pool::on_arrival(uint64_t waiter_id, ServerConnection::Parts parts) {
  const auto found = stealing_.extract(waiter_id);
  require(!found.empty(), "a stolen server came for a waiter that is not there");
  receive(found.mapped(), std::move(parts));
}

void Pool::on_open_instead(uint64_t waiter_id) {
  const auto found = stealing_.extract(waiter_id);
  require(!found.empty(), "a slot came for a waiter that is not there");
  found.mapped()->outcome_ = PoolWaiter::Outcome::kOpen;
  found.mapped()->changed_.notify_all();
}

void Pool::tick(const core::PoolIdleConfig& config, uint64_t epoch, Time now) {
  epoch_ = epoch;
  uint32_t servers =
      shared_->with_queue([&](core::PoolQueue& queue) { return queue.counts(now).in_use(); });
  for (size_t i = 0; i < idle_.size();) {
    ServerConnection& server = *idle_[i];
    const core::IdleServer idle{server.state().id, server.state().epoch, server.state().opened_at,
                                server.state().idle_since};
    const auto why = core::why_close(idle, config, epoch, servers, now);
    const bool claimed = why && shared_->with_queue([&](core::PoolQueue& queue) {
      return queue.close_idle(worker_);
    });
    if (!claimed) {
      ++i;
      continue;
    }
    --servers;
    idle_.erase(idle_.begin() + static_cast<ptrdiff_t>(i));
    owned_.at(server.state().id).slot = SlotState::kClosing;
    server.close(true);
  }
}

void Pool::close_all() {
  for (auto& [id, owned] : owned_) owned.server->close(!owned.server->leased());
}

}  // namespace fairlead::proxy
