#include "proxy/pool.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace fairlead::proxy {
namespace {

using core::SlotState;

// How many idle servers are looked through for one that needs no state replay. Looking costs less
// than a round trip.
constexpr size_t kAffinitySearchMax = 8;

core::IdleServer idle_view(const ServerState& state) {
  return {state.id, state.epoch, state.opened_at, state.idle_since};
}

}  // namespace

Pool::Pool(net::Loop& loop, core::WorkerId worker, PoolMail& mail,
           std::shared_ptr<SharedPool> shared, PoolOpening opening)
    : loop_(loop),
      worker_(worker),
      mail_(mail),
      shared_(std::move(shared)),
      opening_(std::move(opening)),
      spawner_(loop) {}

/// What a server is used for from now on, as in the account; the idle ones and the count of leases
/// follow.
void Pool::set_slot(Owned& owned, SlotState slot) {
  if (owned.slot == slot) return;
  if (owned.slot == SlotState::kBusy) shared_->count_lease(-1);
  if (owned.slot == SlotState::kIdle) std::erase(idle_, owned.server.get());
  owned.slot = slot;
  if (slot == SlotState::kBusy) shared_->count_lease(+1);
  if (slot == SlotState::kIdle) idle_.push_back(owned.server.get());
}

/// Closes a server; `slot`: what the account takes it for until it is gone.
void Pool::retire(Owned& owned, SlotState slot) {
  set_slot(owned, slot);
  owned.server->end_lease();
  owned.server->close(owned.server->is_clean());
}

ServerConnection* Pool::lend(ServerConnection& server) {
  set_slot(owned_.at(server.state().id), SlotState::kBusy);
  return &server;
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
  return lend(*idle_[best]);
}

ServerConnection* Pool::acquire(PoolWaiter& waiter, const core::VariableSet& variables) {
  close_distrusted();
  const Time now = net::Loop::now();
  const Time came_at = waiter.came_at_.value_or(now);
  waiter.came_at_ = came_at;
  const core::Acquire answer =
      shared_->with_queue([&](core::PoolQueue& queue) { return queue.acquire(worker_, came_at); });
  if (std::holds_alternative<core::TakeIdle>(answer)) return take_idle(variables);
  if (std::holds_alternative<core::Refuse>(answer)) {
    waiter.on_no_server({.why = NoServer::Why::kQueueFull});
    return nullptr;
  }
  if (std::holds_alternative<core::Open>(answer) && is_refused(waiter, now)) {
    NoServer refused{NoServer::Why::kLoginFailed, refusal_->failure};
    on_not_opened();
    waiter.on_no_server(std::move(refused));
    return nullptr;
  }
  waiter.since_ = now;
  const uint64_t number = enlist(waiter);
  if (std::holds_alternative<core::Open>(answer)) {
    begin_open(number);
  } else if (const auto* steal = std::get_if<core::Steal>(&answer)) {
    mail_.post_to_pool(steal->from, shared_,
                       [thief = worker_, number](Pool& pool) { pool.steal_for(thief, number); });
  } else {
    const core::Ticket ticket = std::get<core::Wait>(answer).ticket;
    queued_.push_back({ticket, number});
    waiter.ticket_ = ticket;
  }
  return nullptr;
}

ServerConnection* Pool::adopt(std::unique_ptr<net::Stream> stream, ServerState state) {
  const uint64_t id = state.id;
  Owned& owned = owned_[id];
  owned.server = std::make_unique<ServerConnection>(loop_, std::move(stream), std::move(state));
  ServerConnection* server = lend(*owned.server);
  spawner_.spawn(run_server(id));
  return server;
}

net::Task<void> Pool::run_server(uint64_t id) {
  // Whoever has adopted it goes on using it: it may have ended on its way here, which the first
  // read finds out.
  co_await loop_.yield();
  ServerConnection& server = *owned_.at(id).server;
  co_await server.read();
  co_await server.join();
  const SlotState was = owned_.at(id).slot;
  set_slot(owned_.at(id), SlotState::kClosing);
  Owned owned = std::move(owned_.at(id));
  owned_.erase(id);
  if (owned.departure) {
    // One that died on its way is sent all the same, without a connection: the other side has the
    // slot.
    const bool is_usable = !server.lost() && trusts(server);
    owned.departure(is_usable ? server.take_apart() : ServerConnection::Parts{});
    co_return;
  }
  grant(shared_->with_queue([&](core::PoolQueue& queue) { return queue.on_closed(worker_, was); }));
}

void Pool::release(ServerConnection& server) {
  server.end_lease();
  const Time now = net::Loop::now();
  if (!may_keep(server, now)) return discard(server);
  Owned& owned = owned_.at(server.state().id);
  server.state().idle_since = now;
  const core::Handover handover =
      shared_->with_queue([&](core::PoolQueue& queue) { return queue.release(worker_); });
  if (std::holds_alternative<core::KeepIdle>(handover)) {
    set_slot(owned, SlotState::kIdle);
  } else if (const auto* to = std::get_if<core::GiveTo>(&handover)) {
    give(server, *to);
  } else {
    retire(owned, SlotState::kClosing);
  }
}

/// Of a server that nobody holds any more. Under load none is ever idle, so its age is looked at
/// here, too.
bool Pool::may_keep(const ServerConnection& server, Time now) const {
  const ServerState& state = server.state();
  return server.is_clean() && !state.cancel_may_come && state.epoch == epoch_ && !retired_ &&
         !closing_ && trusts(server) && !core::is_too_old(idle_view(state), server_lifetime_, now);
}

void Pool::on_sudden_death() {
  shared_->distrust(net::Loop::now() + kDoubtAfterDeath);
  close_distrusted();
}

/// The idle ones, but for those that are promised to another worker, who gets none of them.
void Pool::close_distrusted() {
  const Time until = shared_->distrusted_until();
  if (std::exchange(distrusted_until_, until) == until) return;
  for (size_t i = idle_.size(); i-- > 0;) {
    ServerConnection& server = *idle_[i];
    if (trusts(server)) continue;
    const auto claim = [&](core::PoolQueue& queue) { return queue.close_idle(worker_); };
    if (!shared_->with_queue(claim)) return;
    retire(owned_.at(server.state().id), SlotState::kClosing);
  }
}

void Pool::discard(ServerConnection& server) {
  retire(owned_.at(server.state().id), SlotState::kBusy);
}

void Pool::give(ServerConnection& server, core::GiveTo to) {
  if (to.worker == worker_) return hand_over(take_queued(to.ticket), server);
  depart(server, [this, to](ServerConnection::Parts parts) mutable {
    mail_.post_to_pool(to.worker, shared_,
                       [ticket = to.ticket, parts = std::move(parts)](Pool& pool) mutable {
                         pool.on_gift(ticket, std::move(parts));
                       });
  });
}

void Pool::depart(ServerConnection& server, Departure departure) {
  Owned& owned = owned_.at(server.state().id);
  set_slot(owned, SlotState::kClosing);  // From now on it counts as busy over there.
  owned.departure = std::move(departure);
  server.stop_reading();
}

void Pool::tick(const core::PoolIdleConfig& config, uint64_t epoch, Time now) {
  epoch_ = epoch;
  server_lifetime_ = config.server_lifetime;
  close_distrusted();
  const auto next = [](core::PoolQueue& queue) { return queue.grant_next(); };
  while (const auto granted = shared_->with_queue(next)) grant(granted);
  for_each_leased([&](ServerConnection& server) {
    server.tick(now, unheard_max(opening_.endpoint.keepalive));
  });
  uint32_t servers =
      shared_->with_queue([&](core::PoolQueue& queue) { return queue.counts(now).in_use(); });
  for (size_t i = 0; i < idle_.size();) {
    ServerConnection& server = *idle_[i];
    if (!is_due(server, config, servers, now)) {
      ++i;
      continue;
    }
    --servers;
    retire(owned_.at(server.state().id), SlotState::kClosing);
  }
  if (!retired_ && servers < config.min_servers && now >= next_spare_at_) {
    const bool may_open =
        shared_->with_queue([&](core::PoolQueue& queue) { return queue.try_open_spare(worker_); });
    if (may_open) begin_open(kSpare);
  }
}

/// Whether that idle server is to be closed now; if so the account knows.
bool Pool::is_due(const ServerConnection& server, const core::PoolIdleConfig& config,
                  uint32_t servers, Time now) {
  return shared_->with_queue([&](core::PoolQueue& queue) {
    const bool due =
        retired_ || queue.surplus() > 0 ||
        core::why_close(idle_view(server.state()), config, epoch_, servers, now).has_value();
    return due && queue.close_idle(worker_);
  });
}

void Pool::close_all() {
  closing_ = true;
  for (auto& [id, owned] : owned_) retire(owned, owned.slot);
}

}  // namespace fairlead::proxy
