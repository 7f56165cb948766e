// Pool: clients that wait, and what comes for them: servers that are opened, given or stolen.
#include "base/assert.h"
#include "base/log.h"
#include "core/lease.h"
#include "proxy/pool.h"
#include "wire/printable.h"

namespace fairlead::proxy {
namespace {

/// Unique over all workers: a server keeps its number when it moves.
uint64_t next_server_id() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

// Answered places at the front of the queue that are not worth moving the others for.
constexpr size_t kCompactAfter = 64;

}  // namespace

uint64_t Pool::enlist(PoolWaiter& waiter) {
  uint64_t number = 0;
  if (free_numbers_.empty()) {
    waiters_.push_back(nullptr);
    number = waiters_.size();
  } else {
    number = free_numbers_.back();
    free_numbers_.pop_back();
  }
  waiters_[number - 1] = &waiter;
  waiter.waits_for_ = number;
  waiter.ticket_.reset();
  return number;
}

/// Null: it has given up meanwhile.
PoolWaiter* Pool::take_waiter(uint64_t number) {
  require(number != 0 && number <= waiters_.size(), "an answer came for nobody");
  PoolWaiter* waiter = std::exchange(waiters_[number - 1], nullptr);
  free_numbers_.push_back(number);
  if (waiter != nullptr) waiter->waits_for_ = 0;
  return waiter;
}

/// Answers come nearly in order, so the one that is looked for stands near the beginning.
uint64_t Pool::take_queued(core::Ticket ticket) {
  size_t at = queued_begin_;
  while (at < queued_.size() && queued_[at].ticket != ticket) ++at;
  require(at < queued_.size(), "an answer came for a place that is not ours");
  queued_[at].ticket.reset();
  const uint64_t waiter = queued_[at].waiter;
  while (queued_begin_ < queued_.size() && !queued_[queued_begin_].ticket) ++queued_begin_;
  if (queued_begin_ == queued_.size() || queued_begin_ >= kCompactAfter) {
    queued_.erase(queued_.begin(), queued_.begin() + static_cast<ptrdiff_t>(queued_begin_));
    queued_begin_ = 0;
  }
  return waiter;
}

void Pool::give_up(PoolWaiter& waiter) {
  const uint64_t number = std::exchange(waiter.waits_for_, 0);
  require(number != 0, "only who waits can give up");
  waiters_[number - 1] = nullptr;
  if (!waiter.ticket_) return;  // A server is on its way, and is given back when it comes.
  const bool forgotten =
      shared_->with_queue([&](core::PoolQueue& queue) { return queue.cancel(*waiter.ticket_); });
  if (!forgotten) return;
  take_queued(*waiter.ticket_);
  free_numbers_.push_back(number);
}

void Pool::begin_open(uint64_t waiter) { spawner_.spawn(open(waiter)); }

bool Pool::is_refused(const PoolWaiter& waiter, Time now) const {
  return refusal_ && now < refusal_->until && waiter.may_go_elsewhere();
}

/// A node that is leaving or does not answer is the monitor's matter.
void Pool::note_refusal(const LoginFailure& failure) {
  const bool server_said = !failure.server_error.empty();
  if (!server_said ||
      core::judge_failed_login(core::Target::kReplica, failure.sqlstate, true).is_nodes_trouble)
    return;
  refusal_ = Refusal{.failure = failure, .until = net::Loop::now() + kRefusalPause};
}

net::Task<void> Pool::open(uint64_t waiter) {
  const Duration doubted_for = shared_->distrusted_until() - net::Loop::now();
  if (doubted_for.count() > 0) co_await loop_.sleep(doubted_for);
  const uint64_t epoch = epoch_;
  const PoolOpening opening = opening_;
  auto logged_in = co_await log_in(loop_, opening.endpoint, opening.login);
  if (!logged_in) {
    const TenantKey& tenant = shared_->key().tenant;
    log::warning("no server for {}/{}: {}", wire::printable(tenant.name),
                 wire::printable(tenant.user), describe(logged_in.error().error));
    note_refusal(logged_in.error());
    on_not_opened();
    if (waiter == kSpare) {
      next_spare_at_ = net::Loop::now() + kSpareRetryGap;
      co_return;
    }
    if (PoolWaiter* waiting = take_waiter(waiter))
      waiting->on_no_server({NoServer::Why::kLoginFailed, std::move(logged_in.error())});
    co_return;
  }
  refusal_.reset();
  shared_->with_queue([&](core::PoolQueue& queue) { queue.on_opened(worker_); });
  ServerState state{
      .node = shared_->key().node,
      .id = next_server_id(),
      .epoch = epoch,
      .backend_pid = logged_in->backend_pid,
      .cancel_secret = std::move(logged_in->cancel_secret),
      .login_reported = {},
      .reported = {},
      .in_hot_standby = {},
      .variables = {},
      .statements = core::ServerStatements(opening.hash_key, opening.prepared_statements_max),
      .catalog_changes = 0,
      .responses = {},
      .postmaster_started_us = logged_in->postmaster_started_us,
      .opened_at = net::Loop::now(),
      .idle_since = {}};
  for (const auto& [name, value] : logged_in->reported) {
    state.login_reported.set(name, value);
    state.on_parameter(name, value);
  }
  serve(waiter, *adopt(std::move(logged_in->stream), std::move(state)));
}

/// The slot of a server that could not be opened, or is not wanted any more, is free again.
void Pool::on_not_opened() {
  grant(shared_->with_queue(
      [&](core::PoolQueue& queue) { return queue.on_closed(worker_, core::SlotState::kOpening); }));
}

void Pool::grant(std::optional<core::GrantOpen> granted) {
  if (!granted) return;
  if (granted->worker == worker_) return on_grant(granted->ticket);
  mail_.post_to_pool(granted->worker, shared_,
                     [ticket = granted->ticket](Pool& pool) { pool.on_grant(ticket); });
}

void Pool::on_grant(core::Ticket ticket) { open_or_return(take_queued(ticket)); }

/// A slot has come for a waiter.
void Pool::open_or_return(uint64_t waiter) {
  if (waiters_[waiter - 1] != nullptr) return begin_open(waiter);
  take_waiter(waiter);
  on_not_opened();
}

void Pool::on_gift(core::Ticket ticket, ServerConnection::Parts parts) {
  receive(take_queued(ticket), std::move(parts));
}

/// A server has come from another worker, where it was counted as ours already.
void Pool::receive(uint64_t waiter, ServerConnection::Parts parts) {
  if (parts.stream.fd < 0) {
    shared_->with_queue([&](core::PoolQueue& queue) { queue.reopen(worker_); });
    return open_or_return(waiter);
  }
  // Its coroutine might be joined by nobody.
  if (closing_) return turn_away(waiter, net::Stream(loop_, std::move(parts.stream)));
  serve(waiter, *adopt(std::make_unique<net::Stream>(loop_, std::move(parts.stream)),
                       std::move(parts.state)));
}

/// A server that comes too late: the connection ends here.
void Pool::turn_away(uint64_t waiter, net::Stream stream) {
  take_waiter(waiter);
  stream.close();
  grant(shared_->with_queue(
      [&](core::PoolQueue& queue) { return queue.on_closed(worker_, core::SlotState::kBusy); }));
}

/// `server` is busy, and counted so, for that waiter.
void Pool::serve(uint64_t waiter, ServerConnection& server) {
  PoolWaiter* waiting = waiter == kSpare ? nullptr : take_waiter(waiter);
  if (waiting == nullptr) return release(server);
  waiting->on_server(server);
}

/// Who is served may give the server back before it returns: thousands may wait, and the stack has
/// room for few. So whoever comes next is served when that one is done.
void Pool::hand_over(uint64_t waiter, ServerConnection& server) {
  handovers_.push_back({waiter, server});
  if (handovers_.size() > 1) return;
  for (; !handovers_.empty(); handovers_.pop_front()) {
    const auto [next, its] = handovers_.front();
    serve(next, its);
  }
}

void Pool::steal_for(core::WorkerId thief, uint64_t waiter) {
  const auto answer = shared_->with_queue(
      [&](core::PoolQueue& queue) { return queue.on_steal_request(worker_, thief); });
  if (answer == core::StealAnswer::kOpenInstead) {
    mail_.post_to_pool(thief, shared_, [waiter](Pool& pool) { pool.open_or_return(waiter); });
    return;
  }
  require(!idle_.empty(),
          "the pool's account promised an idle server to a thief that is not there");
  // The one that its own clients would take last.
  depart(*idle_.front(), [this, thief, waiter](ServerConnection::Parts parts) mutable {
    mail_.post_to_pool(thief, shared_, [waiter, parts = std::move(parts)](Pool& pool) mutable {
      pool.receive(waiter, std::move(parts));
    });
  });
}

}  // namespace fairlead::proxy
