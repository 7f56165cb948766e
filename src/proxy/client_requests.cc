// ClientSession: the way of a request to a server. Nothing here waits except the functions that
// return a Task; advance() goes as far as it can and says what it waits for.
#include <fmt/format.h>

#include "core/replay.h"
#include "proxy/client_session.h"
#include "proxy/worker.h"
#include "wire/backend_encode.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"

namespace fairlead::proxy {

using core::PlannedMessage;
using core::RequestEnd;
using core::Target;
using net::Task;
using sql::Reason;

/// Whether the next request may be looked at, and sent if it needs the server that is leased.
/// Requests that wait for an answer on the primary may be followed at once, because the primary is
/// right for everything; a replica's may not, because the next one may have to go elsewhere, and a
/// request that may be repeated must be alone.
bool ClientSession::is_my_turn() const {
  if (helper_ || retry_wanted_ || swallowing_ || cancels_running_ > 0) return false;
  if (sent_.empty()) return true;
  if (server_ == nullptr) return false;
  if (segment_open_ || server_->responses().copying_in()) return true;
  return choice_.target == Target::kPrimary && repeat_bytes_.empty() &&
         session_.statements.unconfirmed() == 0;
}

ClientSession::Progress ClientSession::advance(std::string_view request) {
  const Progress progress = request_done_ ? Progress::kDone : advance_stages(request);
  if (!request_done_) return progress;
  request_done_ = false;
  stage_ = Stage::kTurn;
  return ending_ ? Progress::kEnd : Progress::kDone;
}

ClientSession::Progress ClientSession::advance_stages(std::string_view request) {
  if (end_ == RequestEnd::kRest || end_ == RequestEnd::kCopy) return send_raw(request);
  if (server_ != nullptr && server_->outbox().blocked()) return Progress::kWaitDrain;
  if (stage_ == Stage::kTurn) {
    if (!is_my_turn()) return Progress::kWaitTurn;
    if (skipping_) return skip_to_sync();
    stage_ = Stage::kPlan;
  }
  if (stage_ == Stage::kPlan) {
    const Progress planned = plan_request(request);
    if (stage_ != Stage::kServer) return planned;
  }
  if (stage_ == Stage::kServer) {
    if (server_ == nullptr) {
      const Progress found = find_server();
      if (found != Progress::kDone || request_done_ || ending_) return found;
    }
    stage_ = Stage::kPrepare;
  }
  if (stage_ == Stage::kPrepare) {
    if (server_ ==
        nullptr) {  // It was lost while it got the client's settings: nothing was sent yet.
      stage_ = Stage::kServer;
      return advance_stages(request);
    }
    const bool at_start =
        session_.status == wire::TxStatus::kIdle && sent_.empty() && !segment_open_;
    if (at_start && !(server_->state().variables == session_.variables.committed()))
      return Progress::kWaitPrepare;
    stage_ = Stage::kSend;
  }
  stage_ = Stage::kTurn;
  return send_request(request);
}

/// After an error in a segment that we have ended, the client's own messages up to its Sync are
/// skipped, as a server would (F22).
ClientSession::Progress ClientSession::skip_to_sync() {
  if (end_ != RequestEnd::kSync) return Progress::kDone;
  skipping_ = false;
  std::string out;
  wire::append_ready_for_query(out, session_.status);
  outbox_.send(out);
  return Progress::kDone;
}

/// Goes on to Stage::kServer, unless the request is done with.
ClientSession::Progress ClientSession::plan_request(std::string_view request) {
  stage_ = Stage::kTurn;
  if (lost_transaction_) {
    lost_transaction_ = false;
    refuse({ErrorCode::kConnectionFailure, "the server of this transaction was lost",
            "nothing of the transaction was committed", "Begin the transaction again."});
    return Progress::kDone;
  }
  const core::PlanningSources context{&worker_.shapes(), &worker_.statements(), tenant_.catalog()};
  if (auto planned =
          worker_.planner().plan(context, session_, request, reader_.messages(), end_, plan_);
      !planned) {
    fatal(planned.error());
    return Progress::kEnd;
  }
  confirmed_ = 0;
  already_confirmed_ = 0;
  attempts_ = 0;
  failed_node_.reset();
  if (answer_locally()) return Progress::kDone;
  last_route_.waited_us = 0;
  route_ = route_request();
  stage_ = Stage::kServer;
  return Progress::kDone;
}

core::Route ClientSession::route_request() const {
  core::RouteInput input;
  input.port = session_.port;
  input.hint = plan_.hints.route;
  if (!input.hint) {
    if (const core::Setting* route = session_.variables.find("fairlead.route")) {
      if (const auto value = sql::validate_setting("fairlead.route", route->text())) {
        if (const auto* wish = std::get_if<sql::Route>(&*value)) input.hint = *wish;
      }
    }
  }
  input.decision = plan_.decision;
  if (plan_.begin) input.begin = &*plan_.begin;
  // A part of a segment, without its Sync, may still be followed by a write (A5); names alone may
  // be asked anywhere.
  if (plan_.end == RequestEnd::kFlush && plan_.executes)
    input.decision = {sql::Access::kPrimary, Reason::kPipelineOpen, true};
  if (plan_.end == RequestEnd::kOversize)
    input.decision = {sql::Access::kPrimary, Reason::kTooLarge, true};
  input.default_read_only = session_.seen.value_or("default_transaction_read_only", "off") == "on";
  const core::Setting* isolation = session_.variables.find("default_transaction_isolation");
  input.default_serializable = isolation != nullptr && isolation->text() == "serializable";
  return core::decide_route(input);
}

/// kDone with a server, or without one when the client was told why.
ClientSession::Progress ClientSession::find_server() {
  const auto choice = tenant_.choose(route_, session_, sticky_node_, failed_node_);
  if (!choice) {
    refuse(choice.error());
    return Progress::kDone;
  }
  choice_ = *choice;
  attempt_ = tenant_.pool(choice_.node).acquire(session_.variables.committed());
  if (attempt_.server == nullptr) return Progress::kWaitServer;
  if (take_server(*attempt_.server)) return Progress::kDone;
  return find_server();
}

/// False: this server must not be used for the choice; it was given back, and the choice was
/// changed.
bool ClientSession::take_server(ServerConnection& server) {
  const std::string_view standby = server.state().reported.value_or("in_hot_standby", "");
  const bool wrong_role =
      (choice_.target == Target::kPrimary && standby == "on") ||
      (choice_.target == Target::kReplica && standby == "off" && !session_.pins.reasons().empty());
  if (wrong_role) {  // E4, E5: the node's role has changed since the monitor looked.
    worker_.shared().control->report_trouble(tenant_.cluster(), choice_.node,
                                             "a server reports another role");
    tenant_.pool(choice_.node).discard(server);
    refuse({ErrorCode::kCannotConnectNow, "the primary is changing",
            "the node that was the primary is in recovery", "Try again."});
    return true;
  }
  if (choice_.opened_before != Time{} &&
      server.state().opened_at >= choice_.opened_before) {  // D16 b
    tenant_.pool(choice_.node).release(server);
    route_ = {.target = Target::kPrimary, .reason = Reason::kOwnWrite};
    return false;
  }
  server_ = &server;
  server_->lease_to(*this);
  sticky_node_ = choice_.target == Target::kReplica ? std::optional(choice_.node) : sticky_node_;
  return true;
}

Task<bool> ClientSession::finish_lease() {
  PoolWaiter waiter(worker_.loop());
  waiter_ = &waiter;
  const Time began = net::Loop::now();
  Pool& pool = tenant_.pool(choice_.node);
  const auto server = co_await pool.finish(waiter, attempt_, tenant_.config().pool_timeout);
  waiter_ = nullptr;
  last_route_.waited_us += static_cast<uint64_t>((net::Loop::now() - began).count());
  if (server) {
    if (ending_) {
      pool.release(**server);
      co_return false;
    }
    take_server(**server);
    co_return !ending_;
  }
  if (ending_) co_return false;
  const core::PoolCounts counts = pool.shared().with_queue(
      [&](core::PoolQueue& queue) { return queue.counts(net::Loop::now()); });
  switch (server.error().why) {
    case NoServer::Why::kCanceled:
      cancel_requested_ = false;
      refuse({ErrorCode::kQueryCanceled, "canceling statement due to user request"});  // F42
      break;
    case NoServer::Why::kTimeout:
    case NoServer::Why::kQueueFull:
      refuse({ErrorCode::kTooManyConnections,
              fmt::format("no server connection came free within {} ms (pool {}/{})",
                          tenant_.config().pool_timeout.count() / 1000, tenant_.database(),
                          tenant_.user()),
              fmt::format("{} of {} are busy, {} are being opened, {} clients are waiting",
                          counts.busy, counts.size, counts.opening, counts.waiting),
              fmt::format(
                  "Raise pool_size (now {}), or shorten the transactions that hold the servers.",
                  counts.size)});
      break;
    case NoServer::Why::kLoginFailed: {
      const LoginFailure& login = server.error().login;
      const bool node_trouble =
          login.server_error.empty() || login.sqlstate == "57P03" || login.sqlstate == "57P01";
      if (node_trouble)
        worker_.shared().control->report_trouble(tenant_.cluster(), choice_.node,
                                                 login.error.message);
      if (node_trouble && choice_.target == Target::kReplica && ++attempts_ < 3) {
        failed_node_ = choice_.node;  // Nothing was sent yet: any other node will do.
        route_.node.clear();
        const Progress found = find_server();
        if (found == Progress::kWaitServer) co_return co_await finish_lease();
        co_return !ending_;
      }
      if (!welcomed_ && !login.server_error.empty()) {
        outbox_.send(login.server_error);  // The server's own words (F27).
        ending_ = true;
      } else {
        refuse(login.error);
      }
      break;
    }
  }
  co_return !ending_;
}

/// Gives the server the client's settings (C3), and waits for its word that it has them.
Task<bool> ClientSession::prepare_server() {
  const auto batch = core::replay_batch(server_->state().variables, session_.variables.committed());
  if (!batch) {
    refuse(batch.error());
    drop_server();
    co_return !ending_;
  }
  if (batch->empty()) {
    server_->state().variables = session_.variables.committed();
    co_return true;
  }
  ask(OwnQuestion::Kind::kReplay, *batch);
  while (helper_ && server_ != nullptr && !ending_) co_await changed_.wait();
  co_return !ending_;
}

/// What the client's texts mean now. When that is not known, every statement is parsed anew, under
/// a name of its own (C10).
uint64_t ClientSession::parse_state() const {
  static thread_local uint64_t last_unknown = 0;
  return session_.variables.parse_state().value_or(~++last_unknown);
}

void ClientSession::count_route() {
  WorkerStats& stats = worker_.counters();
  const bool in_transaction = session_.status != wire::TxStatus::kIdle;
  const Reason reason = in_transaction                     ? Reason::kInTransaction
                        : !session_.pins.reasons().empty() ? Reason::kPinned
                                                           : choice_.reason;
  auto& counts = choice_.target == Target::kPrimary ? stats.to_primary : stats.to_replica;
  ++counts[static_cast<size_t>(reason)];
  ++stats.statements_total;
  tenant_.count_statement(choice_.node);
  last_route_.target = choice_.target;
  last_route_.reason = reason;
  last_route_.node = tenant_.snapshot().node(choice_.node).name;
  last_route_.attempts = attempts_ + 1;
}

/// Notes what the answer will have to be told to.
void ClientSession::begin_sent() {
  const bool continues = sent_.size() > server_->responses().ready_owed();
  if (!continues) sent_.emplace_back();
  Sent& sent = sent_.back();
  sent.route = route_;
  for (core::Execution& execution : plan_.executions)
    sent.executions.push_back(std::move(execution));
  sent.may_write = sent.may_write || plan_.decision.may_write;
  sent.changes_catalog = sent.changes_catalog || plan_.changes_catalog;
  for (const PlannedMessage& planned : plan_.messages) {
    if (planned.treatment == PlannedMessage::Treatment::kRefuse) sent.refusal = planned.answer;
  }
  core::note_pins(plan_.pins, plan_.opaque, session_.pins);
}

ClientSession::Progress ClientSession::send_request(std::string_view request) {
  if (plan_.executes) count_route();
  const bool alone = sent_.empty() && !segment_open_ && session_.status == wire::TxStatus::kIdle;
  const bool complete = end_ == RequestEnd::kSync || end_ == RequestEnd::kQuery;
  const bool repeatable = alone && complete && choice_.target == Target::kReplica &&
                          attempts_ < 2 &&
                          request.size() <= worker_.settings().config->proxy.retry_buffer_max.count;
  if (!repeatable) {
    repeat_bytes_.clear();
  } else if (request.data() != repeat_bytes_.data()) {
    repeat_bytes_.assign(request);
  }
  begin_sent();
  core::RequestWriter writer(server_->state().statements, server_->responses(), parse_state(),
                             session_.status);
  if (core::is_verbatim(plan_)) {
    writer.expect_verbatim(plan_);
    server_->send(request);
  } else {
    out_.clear();
    if (auto written = writer.write(request, plan_, out_); !written) {
      fatal(written.error());
      return Progress::kEnd;
    }
    server_->send(out_);
  }
  segment_open_ = end_ == RequestEnd::kFlush || end_ == RequestEnd::kOversize;
  if (alone && end_ == RequestEnd::kFlush && !plan_.executes) isolate_segment();
  injected_.clear();
  take_locals(injected_);
  if (!injected_.empty()) forward(injected_);
  if (server_->responses().empty() && !segment_open_ && at_boundary()) on_server_done();
  return Progress::kDone;
}

/// Names alone and a Flush, as some drivers prepare: a Sync of ours ends the segment, so that the
/// server is free again while the application thinks, and what comes later can go where it belongs.
/// Nothing was executed, so no transaction is cut in two.
void ClientSession::isolate_segment() {
  std::string sync;
  wire::append_sync(sync);
  server_->send(sync);
  server_->responses().expect({.kind = core::Expect::kSync, .hidden = true});
  sent_.back().isolated = true;
  segment_open_ = false;
}

/// CopyData, and the rest of a message whose head is out already: bytes that nobody looks at.
ClientSession::Progress ClientSession::send_raw(std::string_view bytes) {
  if (server_ == nullptr)
    return Progress::kDone;  // The server is gone, or its COPY ended: dropped until resync (F25).
  if (server_->outbox().blocked()) return Progress::kWaitDrain;
  if (end_ == RequestEnd::kRest) {
    server_->send(bytes);
    // A message that was too large to be held and is complete now; a Query among them ends its
    // request.
    const char type = reader_.open_type();
    const bool ends_request =
        type == wire::frontend::kQuery || type == wire::frontend::kFunctionCall;
    if (reader_.at_boundary() && ends_request) segment_open_ = false;
    return Progress::kDone;
  }
  if (!server_->responses().copying_in()) return Progress::kDone;  // F25
  for (const core::RequestMessage& message : reader_.messages()) {
    if (message.type == wire::frontend::kCopyDone || message.type == wire::frontend::kCopyFail)
      server_->responses().on_copy_end_sent();
  }
  server_->send(bytes);
  return Progress::kDone;
}

/// The request ends here, with an error in its place; the session goes on. Before the welcome it is
/// fatal.
void ClientSession::refuse(const Error& error) {
  ++worker_.counters().errors_total;
  if (!welcomed_) return fatal(error);
  session_.statements.on_skipped();
  std::string out;
  wire::append_error(out, wire::Severity::kError, error);
  session_.variables.on_rollback();
  session_.status = wire::TxStatus::kIdle;
  wire::append_ready_for_query(out, session_.status);
  outbox_.send(out);
  request_done_ = true;
}

/// The request failed on a replica before the client saw anything of its answer: once more,
/// elsewhere (A60).
Task<bool> ClientSession::retry() {
  retry_wanted_ = false;
  ++worker_.counters().retries_total;
  ++attempts_;
  already_confirmed_ = confirmed_;
  confirmed_ = 0;
  plan_.executions = std::move(sent_.front().executions);
  sent_.clear();
  head_.clear();
  route_ = {.target = retry_target_,
            .reason = Reason::kReplicaErrorRetry,
            .replica_only = session_.port == core::Port::kRead};

  const RequestEnd next_end =
      std::exchange(end_, plan_.end);  // Of a request that waits behind this one.
  const std::string request = repeat_bytes_;
  stage_ = Stage::kServer;
  bool goes_on = true;
  for (Progress progress = advance(request); goes_on && progress != Progress::kDone;
       progress = advance(request)) {
    goes_on = progress != Progress::kEnd && co_await wait_for(progress, request);
  }
  end_ = next_end;
  co_return goes_on && !ending_;
}

}  // namespace fairlead::proxy
