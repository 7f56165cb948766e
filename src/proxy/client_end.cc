// ClientSession: servers that die, clients that cancel, and the end of a session in any state (C25,
// E20-E25, F40-F44, F52).
#include <fmt/format.h>

#include "base/log.h"
#include "net/deadline.h"
#include "proxy/client_session.h"
#include "proxy/frame_reader.h"
#include "proxy/worker.h"
#include "wire/backend_encode.h"
#include "wire/startup.h"

namespace fairlead::proxy {

using net::Task;

void ClientSession::on_server_lost(const Error& why) {
  const core::NodeIndex node = choice_.node;
  const bool helper_was_running = helper_.has_value();
  const bool nothing_sent = sent_.empty();
  server_ = nullptr;
  helper_.reset();
  segment_open_ = false;
  worker_.shared().control->report_trouble(tenant_.cluster(), node, why.message);
  changed_.notify_all();
  if (ending_) return;
  if (!session_.pins.reasons().empty() ||
      mid_message_) {  // E25: the state is gone, and the client must know.
    return fatal({ErrorCode::kAdminShutdown, "the server that held this session's state was lost",
                  why.message});
  }
  if (swallowing_) {  // The request is being repeated already.
    swallowing_ = false;
    stream_.interrupt();
    return;
  }
  if (may_repeat()) {
    want_retry(core::Target::kReplica);
    swallowing_ = false;
    stream_.interrupt();
    return;
  }
  if (helper_was_running && nothing_sent)
    return;  // Before the request was sent: advance() takes another server.
  if (nothing_sent) {
    if (session_.status != wire::TxStatus::kIdle) lost_transaction_ = true;
    session_.variables.on_rollback();
    session_.status = wire::TxStatus::kIdle;
    return;
  }
  bool commits = false;
  bool writes = false;
  for (const Sent& sent : sent_) {
    for (const core::Execution& execution : sent.executions) {
      for (const auto& command : execution.facts->transaction) {
        commits = commits || command.kind == sql::TransactionCommand::Kind::kCommit ||
                  command.kind == sql::TransactionCommand::Kind::kCommitPrepared;
      }
    }
    writes = writes || sent.may_write;
  }
  const bool in_transaction = session_.status != wire::TxStatus::kIdle;
  sent_.clear();
  head_.clear();
  repeat_bytes_.clear();
  if (commits || (writes && !in_transaction)) {  // E20 c, E21
    return fatal({ErrorCode::kUnknownOutcome,
                  "the server was lost while a commit was under way, so its outcome is not known",
                  why.message, "Look whether the change is there before you repeat it."});
  }
  refuse({ErrorCode::kConnectionFailure, "the server was lost while it executed this statement",
          why.message,
          in_transaction ? "Nothing of the transaction was committed: begin it again."
                         : "It is safe to repeat the statement."});
  request_done_ = false;  // What was answered is a request of before, not the one on its way.
}

void ClientSession::on_node_down(core::NodeIndex node) {
  if (server_ == nullptr || server_->state().node != node || !may_repeat()) return;
  log::info("a read is repeated elsewhere, because its node does not answer");
  ServerConnection& server = *std::exchange(server_, nullptr);
  tenant_.pool(node).discard(server);
  want_retry(core::Target::kReplica);
  swallowing_ = false;
  stream_.interrupt();
}

void ClientSession::cancel(const core::CancelClaim& claim) {
  if (!key_.matches(claim) || ending_) return;
  if (waiter_ != nullptr) {
    cancel_requested_ = true;
    waiter_->cancel();
    return;
  }
  if (server_ == nullptr || sent_.empty() || helper_)
    return;  // F41: nothing of this client runs now.
  cancel_requested_ = true;
  ++cancels_running_;
  const ServerState& state = server_->state();
  spawner_.spawn(send_cancel(state.node, state.backend_pid, state.cancel_secret));
}

Task<void> ClientSession::send_cancel(core::NodeIndex node, uint32_t pid, std::string secret) {
  auto stream = co_await connect_server(worker_.loop(), tenant_.pool(node).opening().endpoint);
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
  }
  --cancels_running_;
  cancel_requested_ = false;
  changed_.notify_all();
  if (cancels_running_ == 0 && server_ != nullptr && !ending_ && sent_.empty() && at_boundary())
    on_server_done();
}

void ClientSession::tick(Time now) {
  if (waiter_ != nullptr &&
      !stream_.has_tls()) {  // Nobody reads the client while it waits: has it left?
    char byte = 0;
    if (stream_.peek({&byte, 1}).closed()) {
      ending_ = true;
      waiter_->cancel();
    }
    return;
  }
  const config::Proxy& limits = worker_.settings().config->proxy;
  const Duration idle = now - last_activity_;
  const bool nothing_runs = sent_.empty() && !helper_;
  if (nothing_runs && session_.status != wire::TxStatus::kIdle &&
      limits.idle_transaction_timeout.count() > 0 &&
      idle >= limits.idle_transaction_timeout) {  // F52
    return fatal({ErrorCode::kIdleInTransaction,
                  "terminating connection due to idle-in-transaction timeout"});
  }
  if (nothing_runs && server_ == nullptr && limits.client_idle_timeout.count() > 0 && welcomed_ &&
      idle >= limits.client_idle_timeout) {
    fatal({ErrorCode::kAdminShutdown, "terminating connection because it was idle for too long"});
  }
}

void ClientSession::end(bool now) {
  end_when_idle_ = true;
  if (now || !in_transaction())
    fatal({ErrorCode::kAdminShutdown, "terminating connection due to administrator command"});
}

/// Tells the client that its connection ends, and makes the reading coroutine leave.
void ClientSession::fatal(const Error& error) {
  if (ending_) return;
  ending_ = true;
  ++worker_.counters().errors_total;
  if (!mid_message_) {  // In the middle of a row an error would be read as its data.
    std::string out = std::exchange(head_, {});
    wire::append_error(out, wire::Severity::kFatal, error);
    outbox_.send(out);
  }
  if (waiter_ != nullptr) waiter_->cancel();
  changed_.notify_all();
  stream_.interrupt();
}

void ClientSession::drop_server() {
  if (server_ == nullptr) return;
  ServerConnection& server = *std::exchange(server_, nullptr);
  helper_.reset();
  sent_.clear();
  tenant_.pool(server.state().node).discard(server);
}

Task<void> ClientSession::leave() {
  ending_ = true;
  co_await leave_server();
  // What was said last still goes out, if the client takes it.
  constexpr Duration kFarewellTimeout = std::chrono::seconds(2);
  if (outbox_.blocked()) {
    net::Deadline deadline(worker_.loop(), stream_, kFarewellTimeout);
    co_await outbox_.drained();
  }
  stream_.shutdown();
  while (unblocking_ > 0) co_await changed_.wait();
  co_await spawner_.join();
}

/// C25: a server in the middle of anything is stopped and closed; an open transaction is rolled
/// back, and the server lives on.
Task<void> ClientSession::leave_server() {
  if (server_ == nullptr) co_return;
  const bool quiet = sent_.empty() && !helper_ && server_->responses().empty() && !segment_open_ &&
                     cancels_running_ == 0;
  if (!quiet) {
    const ServerState& state = server_->state();
    ++cancels_running_;  // A statement that runs on would keep its locks until its end.
    spawner_.spawn(send_cancel(state.node, state.backend_pid, state.cancel_secret));
    drop_server();
    co_return;
  }
  if (!session_.pins.reasons().empty() || session_.pins.dirty()) {
    drop_server();
    co_return;
  }
  if (server_->state().status != wire::TxStatus::kIdle) {
    constexpr Duration kRollbackTimeout = std::chrono::seconds(1);
    const Time until = net::Loop::now() + kRollbackTimeout;
    ask(OwnQuestion::Kind::kRollback, "ROLLBACK");
    while (helper_ && server_ != nullptr && net::Loop::now() < until)
      co_await changed_.wait_for(until - net::Loop::now());
    if (server_ == nullptr) co_return;
    session_.variables.on_rollback();
    server_->state().variables = session_.variables.take_on_server();
    if (helper_ || !server_->is_clean()) {
      drop_server();
      co_return;
    }
  }
  on_server_done();
}

}  // namespace fairlead::proxy
