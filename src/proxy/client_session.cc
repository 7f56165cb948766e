#include "proxy/client_session.h"

#include "net/deadline.h"
#include "proxy/worker.h"
#include "wire/backend_encode.h"

namespace fairlead::proxy {

using core::Pause;
using net::Task;

namespace {

// A client that waits keeps what it has sent; one that does not keeps no more than this.
constexpr size_t kIdleInboxMax = 512;

}  // namespace

ClientSession::ClientSession(Worker& worker, net::Stream& stream, core::VariableSet startup,
                             Tenant& tenant, core::CancelKey key, core::Port port)
    : worker_(worker),
      stream_(stream),
      spawner_(worker.loop()),
      outbox_(worker.loop(), stream, spawner_),
      changed_(worker.loop()),
      tenant_(tenant),
      key_(key),
      startup_(startup),
      session_(*this, worker.shared().hash_key, port, std::move(startup),
               tenant.config().pool_mode == config::PoolMode::kSession,
               worker.settings().config->proxy.segment_buffer_max.count),
      heard_at_(net::Loop::now()) {
  outbox_.on_drained([this] {
    heard_at_ = net::Loop::now();
    changed_.notify_all();
  });
}

ClientSession::~ClientSession() = default;

Task<void> ClientSession::serve(std::string early) {
  refresh_environment();
  inbox_ = std::move(early);
  if (co_await welcome()) {
    if (!inbox_.empty()) take({});
    co_await serve_input();
  }
  co_await leave();
}

Task<bool> ClientSession::welcome() {
  const core::ReportedParameters* known = tenant_.welcome(startup_);
  for (pause_ = session_.welcome(known); pause_ != Pause::kInput;
       pause_ = session_.welcome(known)) {
    if (pause_ == Pause::kEnded || client_gone_) co_return false;
    co_await changed_.wait();
    refresh_environment();  // The catalog may be another one by now, and the old one gone.
  }
  const core::ReportedParameters& reports = *session_.welcome_reports();
  if (known == nullptr) tenant_.remember_welcome(startup_, reports);
  std::string out;
  wire::append_authentication_ok(out);
  for (const core::ReportedParameter& report : reports.entries())
    wire::append_parameter_status(out, report.name, report.value);
  wire::append_backend_key_data(out, key_.process_id(), key_.secret());
  wire::append_ready_for_query(out, wire::TxStatus::kIdle);
  outbox_.send(out);
  session_.on_welcomed();
  co_return true;
}

Task<void> ClientSession::serve_input() {
  while (!session_.ended() && !client_gone_) {
    // Back-pressure: a client that does not read its answers is not read either, and what it has
    // sent already has to wait (F20).
    if (pause_ != Pause::kInput || outbox_.blocked()) {
      co_await changed_.wait();
      heard_at_ = net::Loop::now();  // It was not idle: it was kept waiting.
      if (!outbox_.blocked() || session_.wants_attention()) take({});
      continue;
    }
    reading_ = true;
    co_await stream_.input();  // Ready or interrupted: either way there is something to do.
    reading_ = false;
    if (session_.wants_attention()) {
      take({});
      continue;
    }
    read_once();  // Also while it does not read what has come for it since: it may want to leave.
  }
}

void ClientSession::read_once() {
  const std::span<char> scratch = worker_.loop().scratch();
  const net::Transfer got = stream_.read(scratch);
  if (got.closed()) client_gone_ = true;
  if (!got.ok()) return;
  heard_at_ = net::Loop::now();
  take({scratch.data(), got.bytes});
}

/// Gives the session what it has not used yet, and `input` behind it.
void ClientSession::take(std::string_view input) {
  refresh_environment();
  std::string_view rest = input;
  if (inbox_.empty()) {
    pause_ = session_.take(rest);
    inbox_.assign(rest);
    return;
  }
  inbox_.append(input);
  rest = inbox_;
  pause_ = session_.take(rest);
  inbox_.erase(0, inbox_.size() - rest.size());
  if (inbox_.empty() && inbox_.capacity() > kIdleInboxMax) inbox_ = {};
}

void ClientSession::refresh_environment() {
  const config::Proxy& limits = worker_.settings().config->proxy;
  session_.environment() = {.planner = &worker_.planner(),
                            .shapes = &worker_.shapes(),
                            .registry = &worker_.statements(),
                            .known = &tenant_.known_statements(),
                            .catalog = tenant_.current_catalog(),
                            .epoch = tenant_.snapshot().epoch,
                            .lost_writes_fail = tenant_.lost_writes_fail(),
                            .holds_writes = tenant_.snapshot().holds_writes,
                            .observes = tenant_.observes(),
                            .repeat_max = limits.retry_buffer_max.count,
                            .reads_until_write = tenant_.reads_until_write(),
                            .idle_transaction_timeout = limits.idle_transaction_timeout,
                            .client_idle_timeout = limits.client_idle_timeout};
}

void ClientSession::wake() {
  if (!reading_) return changed_.notify_all();
  if (session_.wants_attention()) stream_.interrupt();
}

void ClientSession::end_client() {
  changed_.notify_all();
  stream_.interrupt();
}

void ClientSession::cancel(const core::CancelClaim& claim) {
  if (key_.matches(claim)) session_.on_cancel();
}

/// One whose host is gone holds no server for longer than this (F56). Without a server nothing is
/// lost by waiting for TCP to give up, and there may be many thousands.
void ClientSession::end_if_unheard(Time now) {
  const Duration longest = unheard_max(worker_.settings().config->proxy.tcp_keepalive);
  if (server_ == nullptr || longest.count() == 0 || stream_.unheard_for(now) < longest) return;
  client_gone_ = true;
  stream_.shutdown();  // Whoever reads it or writes to it goes on.
  changed_.notify_all();
}

void ClientSession::tick(Time now) {
  end_if_unheard(now);
  if (waiting()) {
    const Duration timeout = tenant_.config().pool_timeout;
    if (timeout.count() > 0 && now - since() >= timeout) {
      tenant_.pool(choice_.node).give_up(*this);
      on_no_server({.why = NoServer::Why::kTimeout});
    }
  }
  if (pause_ == Pause::kInput) {
    if (outbox_.blocked()) return;  // It is reading its answer.
    refresh_environment();          // A reload's limits are for those, too, who sent nothing since.
    session_.tick(heard_at_);
    return;
  }
  // Nobody reads the client while it waits: has it left? If nothing that it sent is at work, its
  // Terminate need not be reached first (F29).
  if (session_.has_server() ? stream_.peer_has_left() : stream_.peer_has_ended()) {
    client_gone_ = true;
    changed_.notify_all();
  }
}

/// A server that is taken from a client that does not read must be read for whoever has it next.
Task<void> ClientSession::unblocked() {
  const ServerConnection* const server = server_;
  ++unblocking_;
  while (server_ == server && blocked()) co_await changed_.wait();
  --unblocking_;
  changed_.notify_all();
}

Task<void> ClientSession::leave() {
  // Of ROLLBACK and DISCARD ALL; a server that takes longer is closed.
  constexpr Duration kCleanupTimeout = std::chrono::seconds(5);
  // What was said last still goes out, if the client takes it.
  constexpr Duration kFarewellTimeout = std::chrono::seconds(2);
  end_wait();  // For a node it is told by cancel_lease().
  session_.on_client_gone();
  changed_.notify_all();  // Nobody is blocked by a client that has gone: its server is read again.
  const Time until = net::Loop::now() + kCleanupTimeout;
  while (session_.has_server() && net::Loop::now() < until)
    co_await changed_.wait_for(until - net::Loop::now());
  session_.abandon_server();
  outbox_.send_now();
  if (outbox_.blocked()) {
    net::Deadline deadline(worker_.loop(), stream_, kFarewellTimeout);
    co_await outbox_.drained();
  }
  stream_.discard_input();
  stream_.shutdown();
  while (unblocking_ > 0) co_await changed_.wait();
  co_await spawner_.join();
}

}  // namespace fairlead::proxy
