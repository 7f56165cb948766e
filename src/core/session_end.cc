// Session: servers that die, clients that cancel, and the end of a session in any state (C25,
// E20-E25, F40-F44, F52).
#include "core/session.h"
#include "wire/backend_encode.h"

namespace fairlead::core {

void Session::on_server_lost(const Error& why) {
  lose_server(why);
  host_.wake();
}

void Session::lose_server(const Error& why) {
  // A planned request waits for nothing but a server and its settings: nothing of it was sent.
  const bool before_sending = stage_ == Stage::kServer || stage_ == Stage::kSettings;
  const Error error{why.code, why.message, fatal_.empty() ? why.detail : fatal_, why.hint};
  fatal_.clear();
  server_ = nullptr;
  question_.reset();
  reports_.clear();
  host_.note_trouble(lease_.node, error.message);
  if (ended_) return;
  if (client_was_told_) {
    ended_ = true;
    return host_.end_client();
  }
  if (swallowing_) {  // The request is being repeated already.
    swallowing_ = false;
    return;
  }
  if (repeat_elsewhere()) {
    swallowing_ = false;
    return;
  }
  if (!state_.pins.reasons().empty() || mid_message_ || held_ready_) {
    // E25: the session's state is gone, or half a message is out, and the client must know.
    return fatal({ErrorCode::kAdminShutdown, "the server that held this session's state was lost",
                  error.detail.empty() ? error.message : error.detail});
  }
  const bool moves = moves_transaction();
  if (before_sending) {  // Another server will do.
    stage_ = Stage::kServer;
    if (lease_.target == Target::kReplica) avoid_ = lease_.node;
    return;
  }
  if (!moves) answer_lost_requests(error);
}

/// Everything that the lost server still owed is answered, each request once (E20, E21, E27).
void Session::answer_lost_requests(const Error& error) {
  const bool in_transaction = state_.status != wire::TxStatus::kIdle;
  state_.statements.on_skipped();
  state_.variables.on_rollback();
  state_.status = wire::TxStatus::kIdle;
  transaction_.on_end();
  transaction_may_write_ = false;
  transaction_changes_catalog_ = false;
  transaction_wrote_.clear();
  cancel_requested_ = false;
  if (sent_.empty()) {
    lost_transaction_ = lost_transaction_ || in_transaction;
    return;
  }
  bool outcome_unknown = false;
  sent_.for_each([&](const SentRequest& sent) {
    // A segment whose Sync was not sent has not been committed.
    const bool ends = !segment_open_ || &sent != &sent_.back();
    outcome_unknown |= sent.commits || (sent.may_write && !in_transaction && ends);
  });
  const std::string& why = error.detail.empty() ? error.message : error.detail;
  if (outcome_unknown) {
    return fatal({ErrorCode::kUnknownOutcome,
                  "the server was lost while a commit was under way, so its outcome is not known",
                  why, "Look whether the change is there before you repeat it."});
  }
  std::string out(repeat_.take_head());
  repeat_.give_up();
  const Error told{ErrorCode::kConnectionFailure,
                   "the server was lost while it executed this statement", why,
                   in_transaction ? "Nothing of the transaction was committed: begin it again."
                                  : "It is safe to repeat the statement."};
  for (; !sent_.empty(); sent_.pop()) {
    host_.note_error();
    wire::append_error(out, wire::Severity::kError, told);
    const bool ends = !(sent_.size() == 1 && segment_open_) && !sent_.front().isolated;
    if (ends) {
      wire::append_ready_for_query(out, state_.status);
    } else {
      skipping_ = true;  // The client still owes the Sync.
    }
  }
  segment_open_ = false;
  host_.to_client(out);
}

/// A60: a read of which the client has seen nothing.
bool Session::repeat_elsewhere() {
  const bool possible = repeat_.scope() == ReadRepeat::Scope::kRead && !repeated_ &&
                        !cancel_requested_ && sent_.size() == 1;
  if (possible) want_repeat(Target::kReplica);
  return possible;
}

void Session::on_node_down(NodeIndex node) {
  if (server_ == nullptr || lease_.node != node || swallowing_) return;
  if (stage_ == Stage::kSettings && lease_.target == Target::kReplica) {
    avoid_ = node;  // Nothing of the request was sent: another server will do.
  } else if (question_ || !repeat_elsewhere()) {
    return;
  }
  swallowing_ = false;
  close_server();
  host_.wake();
}

void Session::on_cancel() {
  if (ended_) return;
  if (waits_for_lease_) {
    cancel_requested_ = true;
    return host_.cancel_lease();
  }
  if (repeat_.wanted() || stage_ == Stage::kSettings) {  // Answered when it would be sent (F42).
    cancel_requested_ = true;
    return;
  }
  if (server_ == nullptr || sent_.empty() || question_) return;  // F41: nothing of it runs now.
  cancel_requested_ = true;
  ++cancels_running_;
  host_.cancel_statement();
}

void Session::on_cancel_done() {
  --cancels_running_;
  host_.wake();
  if (cancels_running_ > 0) return;
  if (client_gone_) {
    if (server_ != nullptr && !question_) on_client_gone();
    return;
  }
  if (!ended_) release_if_done();
}

void Session::tick(Duration idle) {
  if (ended_ || waits_for_lease_ || !sent_.empty() || question_) return;
  const SessionEnvironment& limits = environment_;
  const auto exceeds = [&](Duration limit) { return limit.count() > 0 && idle >= limit; };
  if (state_.status != wire::TxStatus::kIdle || segment_open_ || half_sent_) {
    if (exceeds(limits.idle_transaction_timeout))
      fatal({ErrorCode::kIdleInTransaction,
             "terminating connection due to idle-in-transaction timeout"});
    return;
  }
  if (server_ == nullptr && welcomed_ && exceeds(limits.client_idle_timeout))
    fatal({ErrorCode::kAdminShutdown, "terminating connection because it was idle for too long"});
}

void Session::end(bool now) {
  end_when_idle_ = true;
  if (now || !in_transaction())
    fatal({ErrorCode::kAdminShutdown, "terminating connection due to administrator command"});
}

/// Tells the client that its connection ends.
void Session::fatal(const Error& error) {
  if (ended_) return;
  ended_ = true;
  host_.note_error();
  if (!mid_message_) {  // In the middle of a row an error would be read as its data.
    std::string out(repeat_.take_head());
    wire::append_error(out, wire::Severity::kFatal, error);
    host_.to_client(out);
  }
  if (waits_for_lease_) host_.cancel_lease();
  host_.wake();
  host_.end_client();
}

void Session::close_server() {
  if (server_ == nullptr) return;
  server_ = nullptr;
  question_.reset();
  reports_.clear();
  host_.close_server();
}

void Session::abandon_server() { close_server(); }

void Session::on_client_gone() {
  ended_ = true;
  client_gone_ = true;
  if (waits_for_lease_) host_.cancel_lease();
  if (server_ == nullptr) return;
  const bool quiet =
      sent_.empty() && !question_ && server_->responses.empty() && !segment_open_ && !half_sent_;
  if (!quiet) {
    // A statement that runs on would keep its locks until its end.
    ++cancels_running_;
    host_.cancel_statement();
    return close_server();
  }
  if (cancels_running_ > 0) return;  // It comes back here when the cancel is through.
  if (server_->status != wire::TxStatus::kIdle)
    return ask(OwnQuestion::Kind::kRollback, "ROLLBACK");
  if (on_left_clean()) on_server_done();
}

}  // namespace fairlead::core
