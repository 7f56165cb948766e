// ClientSession: what the session asks for, carried out: servers, cancel requests, counts.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "core/token.h"
#include "net/deadline.h"
#include "proxy/client_session.h"
#include "proxy/frame_reader.h"
#include "proxy/worker.h"
#include "wire/startup.h"

namespace fairlead::proxy {

using net::Task;

namespace {

// A node may let nobody in while its probes are fine, and those come every few milliseconds as long
// as somebody reports trouble.
constexpr Duration kRetryGap = std::chrono::milliseconds(250);
// Of a look at the primary, which is always waited for.
constexpr Duration kTokenPatienceMin = std::chrono::seconds(1);

}  // namespace

void ClientSession::lease(const core::LeaseWish& wish) {
  end_wait();  // The server that was to begin has been lost.
  wish_ = wish;
  wished_at_ = net::Loop::now();
  queued_ = Duration{};
  come_anew();
  choose_node(true);
}

void ClientSession::choose_node(bool may_wait) {
  const core::Choice choice = tenant_.choose(wish_, wished_at_, session_.state());
  if (may_wait && wait_for_positions(choice.patience)) return;
  if (!choice.now) return session_.on_no_lease({.error = choice.now.error()});
  choice_ = *choice.now;
  Pool& pool = tenant_.pool(choice_.node);
  if (ServerConnection* server = pool.acquire(*this, session_.state().variables.committed()))
    grant(*server);
}

/// False: it has waited long enough. The time that it took until a server was free does not count:
/// it is the same for all who queue, so one server that they cannot use would send all of them
/// elsewhere at once.
bool ClientSession::wait_for_positions(Duration patience) {
  if (patience == Duration{}) return false;
  const Time until = wished_at_ + queued_ + patience;
  if (net::Loop::now() >= until) return false;
  wait_for(Awaited::kNode, wished_at_, until);
  return true;
}

void ClientSession::wait_for(Awaited what, Time since, Time until) {
  awaited_ = what;
  awaited_since_ = since;
  tenant_.positions_queue().add(*this, until);
}

void ClientSession::stop_waiting() {
  if (waits_for_positions()) tenant_.positions_queue().remove(*this);
  awaited_ = Awaited::kNothing;
}

void ClientSession::on_server(ServerConnection& server) {
  queued_ += net::Loop::now() - since();
  grant(server);
}

core::StillShows ClientSession::still_shows(const core::Route& route,
                                            const core::RequestPlan& reads) {
  const Time since = waits_since(Awaited::kFreshness);
  const Time until = since + tenant_.config().freshness_wait;
  stop_waiting();
  const core::StillShows shows =
      tenant_.still_shows(server_->state(), route, since, reads, session_.state());
  if (shows != core::StillShows::kNotYet) return shows;
  if (net::Loop::now() >= until) return core::StillShows::kTooLittle;
  worker_.shared().control->want_positions(tenant_.cluster());
  wait_for(Awaited::kFreshness, since, until);
  return shows;
}

void ClientSession::grant(ServerConnection& server) {
  Pool& pool = tenant_.pool(choice_.node);
  granted_at_ = net::Loop::now();
  const Duration waited = granted_at_ - wished_at_;
  const core::Lease lease{.node = choice_.node,
                          .target = choice_.target,
                          .reason = choice_.reason,
                          .waited_us = static_cast<uint64_t>(waited.count())};
  switch (core::check_lease(choice_.target, server.state(), choice_.opened_before,
                            tenant_.snapshot())) {
    case core::LeaseCheck::kOutdated:  // The roles have changed while it was waited for.
      pool.discard(server);
      return choose_node(true);
    case core::LeaseCheck::kWrongRole:
    case core::LeaseCheck::kOtherNode:
      note_trouble(choice_.node, "a server reports another role, or another start of its node");
      pool.discard(server);
      if (waits_for_primary()) return;
      return session_.on_no_lease(
          {.error = {ErrorCode::kCannotConnectNow, "the roles of the nodes are changing",
                     "a server was not what its node was taken for", "Try again."},
           .tried = lease});
    case core::LeaseCheck::kHeld:
      pool.release(server);
      return choose_node(true);
    case core::LeaseCheck::kTooNew:
      pool.release(server);
      return on_server_too_new();
    case core::LeaseCheck::kGood:
      break;
  }
  // What was parsed before the catalog changed may be refused for its plan (C11), and a read that
  // is repeated for that on another server must not meet the same there.
  if (server.state().catalog_changes != tenant_.catalog_changes()) {
    server.state().catalog_changes = tenant_.catalog_changes();
    server.state().statements.poison_all();
  }
  server_ = &server;
  server.lease_to(*this);
  session_.on_lease(server.state(), lease);
}

/// The next positions will hold for it, too.
void ClientSession::on_server_too_new() {
  worker_.shared().control->want_positions(tenant_.cluster());
  if (wait_for_positions(tenant_.patience_of_read(wish_.route))) return;
  if (!wish_.route.replica_only && tenant_.snapshot().takes_writes()) {
    core::LeaseWish primary = wish_;
    primary.past_replicas = true;
    return lease(primary);
  }
  session_.on_no_lease(
      {.error = {ErrorCode::kCannotConnectNow,
                 "no replica is known to be fresh enough for this statement",
                 "its servers were opened after its position was observed", "Try again."}});
}

void ClientSession::on_no_server(NoServer why) {
  core::NoLease no = no_lease(std::move(why));
  if (no.tried && waits_for_primary()) {
    retry_at_ = net::Loop::now() + kRetryGap;
    return;
  }
  session_.on_no_lease(std::move(no));
}

void ClientSession::on_positions() {
  if (awaited_ != Awaited::kNode) return wake();
  // Thousands may wait for a primary, and news of other nodes come many times a second.
  const core::Route& route = wish_.route;
  const bool needs_primary = route.target == core::Target::kPrimary && route.node.empty() &&
                             route.reason != sql::Reason::kLocal;
  if (needs_primary && !tenant_.snapshot().takes_writes() &&
      wait_for_positions(tenant_.config().failover_hold))
    return;
  const bool is_same_node = tenant_.snapshot().primary == choice_.node;
  if (is_same_node && net::Loop::now() < retry_at_ && waits_for_primary()) return;
  choose_node(true);
}

/// The primary is in trouble, and nothing was sent to it yet: it may come back, or another node may
/// take its place. False: it has waited long enough.
bool ClientSession::waits_for_primary() {
  return choice_.target == core::Target::kPrimary && wish_.route.node.empty() &&
         wait_for_positions(tenant_.config().failover_hold);
}

void ClientSession::on_positions_timeout() {
  if (awaited_ != Awaited::kNode) return wake();
  choose_node(false);
}

Result<std::optional<std::string>> ClientSession::fresh_token() {
  const Time since = waits_since(Awaited::kToken);
  const core::ClusterSnapshot& cluster = tenant_.snapshot();
  const Time until = since + std::max(tenant_.config().failover_hold, kTokenPatienceMin);
  if (cluster.primary && cluster.position.sampled_at > since) {
    stop_waiting();
    return core::token_of(cluster);
  }
  if (net::Loop::now() >= until) {
    stop_waiting();
    return fail(ErrorCode::kCannotConnectNow, "the primary's position is not known",
                "nobody could be asked for it in time", "Try again when there is a primary.");
  }
  if (waits_for_positions()) return std::nullopt;  // Something else has woken the session.
  worker_.shared().control->want_positions(tenant_.cluster());
  wait_for(Awaited::kToken, since, until);
  return std::nullopt;
}

Result<bool> ClientSession::may_begin() {
  const Time since = waits_since(Awaited::kPause);
  const Time until = since + tenant_.config().failover_hold;
  stop_waiting();
  if (!tenant_.snapshot().holds_writes) return true;
  if (net::Loop::now() >= until) return std::unexpected(core::writes_are_held());
  wait_for(Awaited::kPause, since, until);
  return false;
}

void ClientSession::end_wait() {
  if (awaited_ != Awaited::kNode) stop_waiting();
  if (awaited_report_) awaited_report_->on_report = {};
  awaited_report_.reset();
}

core::NoLease ClientSession::no_lease(NoServer why) {
  switch (why.why) {
    case NoServer::Why::kCanceled:  // F42
      return {.error = {ErrorCode::kQueryCanceled, "canceling statement due to user request"}};
    case NoServer::Why::kLoginFailed:
      break;
    case NoServer::Why::kTimeout:
    case NoServer::Why::kQueueFull:
      return {.error = no_server_in_time()};
  }
  const LoginFailure& login = why.login;
  const auto judged =
      core::judge_failed_login(choice_.target, login.sqlstate, !login.server_error.empty());
  if (judged.is_nodes_trouble) note_trouble(choice_.node, login.error.message);
  core::NoLease no{.error = login.error, .server_error = login.server_error};
  if (judged.may_go_on)
    no.tried = {.node = choice_.node, .target = choice_.target, .reason = choice_.reason};
  return no;
}

Error ClientSession::no_server_in_time() {
  const core::PoolCounts counts =
      tenant_.pool(choice_.node).shared().with_queue([](core::PoolQueue& queue) {
        return queue.counts(net::Loop::now());
      });
  return {
      ErrorCode::kTooManyConnections,
      fmt::format("no server connection came free within {} ms (pool {}/{})",
                  tenant_.config().pool_timeout.count() / 1000, tenant_.database(), tenant_.user()),
      fmt::format("{} of {} are busy, {} are being opened, {} clients are waiting", counts.busy,
                  counts.size, counts.opening, counts.waiting),
      fmt::format("Raise pool_size (now {}), or shorten the transactions that hold the servers.",
                  counts.size)};
}

void ClientSession::on_node_down(core::NodeIndex node) {
  if (waiting() && choice_.node == node) {  // Nothing was sent yet: any other node will do.
    tenant_.pool(node).give_up(*this);
    if (waits_for_primary()) return;
    return session_.on_no_lease(
        {.error = {ErrorCode::kCannotConnectNow, "the node does not answer",
                   std::string(node_name(node)), "Try again."},
         .tried = core::Lease{.node = node, .target = choice_.target, .reason = choice_.reason}});
  }
  // A read there has nowhere else to go until another node is the primary, or none is.
  if (tenant_.snapshot().primary != node) session_.on_node_down(node);
}

void ClientSession::on_new_epoch() {
  if (waiting() && choice_.target == core::Target::kPrimary) {
    tenant_.pool(choice_.node).give_up(*this);
    return choose_node(true);
  }
  session_.on_new_epoch(tenant_.snapshot());
}

void ClientSession::cancel_lease() {
  if (waits_for_positions()) {
    stop_waiting();
    return on_no_server({.why = NoServer::Why::kCanceled});
  }
  if (!waiting()) return;
  tenant_.pool(choice_.node).give_up(*this);
  on_no_server({.why = NoServer::Why::kCanceled});
}

ServerConnection& ClientSession::take_server() {
  changed_.notify_all();  // Its coroutine may be waiting for the client in unblocked().
  return *std::exchange(server_, nullptr);
}

void ClientSession::release_server() {
  ServerConnection& server = take_server();
  tenant_.pool(server.state().node).release(server);
}

void ClientSession::close_server() {
  ServerConnection& server = take_server();
  tenant_.pool(server.state().node).discard(server);
}

void ClientSession::on_server_lost(const Error& why) {
  server_ = nullptr;
  session_.on_server_lost(why);
}

void ClientSession::cancel_statement() {
  const ServerState& state = server_->state();
  spawner_.spawn(send_cancel(tenant_.pool(state.node).opening().endpoint, state.backend_pid,
                             state.cancel_secret));
}

/// The server may be closed meanwhile, and the pool that it was of be gone: nothing of it is used.
Task<void> ClientSession::send_cancel(ServerEndpoint endpoint, uint32_t pid, std::string secret) {
  auto stream = co_await connect_server(worker_.loop(), std::move(endpoint));
  if (stream) {
    // The server closes after it has sent the signal; until then a statement of somebody else might
    // be hit (F41).
    constexpr Duration kCancelTimeout = std::chrono::seconds(5);
    net::Deadline deadline(worker_.loop(), **stream, kCancelTimeout);
    std::string request;
    wire::append_cancel_request(request, pid, secret);
    if (co_await write_all(**stream, std::move(request))) {
      FrameReader reader(worker_.loop(), **stream, wire::kBackendPolicy);
      (void)co_await reader.next();  // Nothing comes but the end.
    }
    // What is out may be anywhere, and arrive at any time.
    if (deadline.expired() && server_ && server_->state().backend_pid == pid)
      server_->state().cancel_may_come = true;
  }
  session_.on_cancel_done();
}

Time ClientSession::note_write(const core::WrittenTables& tables) {
  const Time now = net::Loop::now();
  tenant_.note_write(now, tables);
  return now;
}

void ClientSession::note_catalog_change(core::CatalogChange change) {
  tenant_.note_catalog_change(net::Loop::now(), change);
}

void ClientSession::note_statement(const core::Lease& lease, sql::Reason reason) {
  WorkerStats& stats = worker_.counters();
  auto& counts = lease.target == core::Target::kPrimary ? stats.to_primary : stats.to_replica;
  ++counts[static_cast<size_t>(reason)];
  ++stats.statements_total;
  tenant_.count_statement(lease.node);
}

/// Observe mode: what would have become of the request that goes to the primary.
void ClientSession::note_observed(const core::ObservedRequest& request) {
  const Time now = net::Loop::now();
  const auto foreseen = core::ObservedClient::needs_foresight(request)
                            ? tenant_.foresee(request, now, session_.state())
                            : core::Foreseen::kStays;
  worker_.observations().record(tenant_.name(), observed_.judge(request, foreseen), request.text,
                                session_.state().lex_options(), now);
}

void ClientSession::note_retry() { ++worker_.counters().retries_total; }

void ClientSession::note_error() { ++worker_.counters().errors_total; }

void ClientSession::note_trouble(core::NodeIndex node, std::string_view why) {
  worker_.shared().control->report_trouble(tenant_.cluster(), node, std::string(why));
}

void ClientSession::note_sudden_death(core::NodeIndex node) {
  tenant_.pool(node).on_sudden_death();
}

void ClientSession::note_doubt() { worker_.shared().control->want_positions(tenant_.cluster()); }

std::string_view ClientSession::node_name(core::NodeIndex node) const {
  return tenant_.snapshot().node(node).name;
}

}  // namespace fairlead::proxy
