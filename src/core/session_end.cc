// Session: servers that die, clients that cancel, and the end of a session in any state (C25,
// E20-E25, F40-F44, F52).
#include <algorithm>

#include "core/failover_table.h"
#include "core/session.h"
#include "wire/backend_encode.h"

namespace fairlead::core {

void Session::on_server_lost(const Error& why) {
  lose_server(why);
  if (stage_ == Stage::kTurn) end_if_done();
  host_.wake();
}

void Session::lose_server(const Error& why) {
  // A planned request waits for nothing but a server and its settings: nothing of it was sent.
  const bool before_sending =
      sent_.empty() && (stage_ == Stage::kServer || stage_ == Stage::kSettings);
  const Error error{why.code, why.message, fatal_.empty() ? why.detail : fatal_, why.hint};
  // A read of the primary goes back to it, where another backend might end the same way (A60).
  const bool is_silent = fatal_.empty() && !swallowing_;
  const bool is_sudden = is_silent || repeat_.scope() == ReadRepeat::Scope::kLoss;
  if (is_sudden) host_.note_sudden_death(lease_.node);
  fatal_.clear();
  const bool takes_state = !before_sending && holds_state();
  server_ = nullptr;
  question_.reset();
  reports_.clear();
  host_.note_trouble(lease_.node, error.message);
  if (ended_) return;
  if (client_was_told_) {
    ended_ = true;
    return host_.end_client();
  }
  if (swallowing_ && state_.pins.reasons().empty()) {  // It is being repeated already.
    swallowing_ = false;
    return;
  }
  if (repeat_elsewhere()) {
    swallowing_ = false;
    return;
  }
  note_unknown_writes();
  const std::string& how = error.detail.empty() ? error.message : error.detail;
  if (takes_state || !state_.pins.reasons().empty() || mid_message_ || held_ready_) {
    // E25: the session's state is gone, or half a message is out, and the client must know.
    const bool unknown = !before_sending && may_have_written();
    return fatal(loss_error(unknown ? LostWork::kStateOfWrite : LostWork::kState, how));
  }
  if (!before_sending) state_.pins.on_server_left();
  const bool moves = moves_transaction();
  if (before_sending) {  // Another server will do.
    stage_ = Stage::kServer;
    if (lease_.target == Target::kReplica) avoid_.push_back(lease_.node);
    return;
  }
  if (!moves) answer_lost_requests(how);
}

/// Whether the leased server alone has something that the client was told to be there: what may pin
/// it, until it was asked, and settings that it was not asked for yet.
bool Session::holds_state() const {
  const bool is_told = sent_.empty() && state_.status == wire::TxStatus::kIdle;
  return (is_told && !state_.pins.suspects().empty()) || state_.variables.needs_read_back();
}

/// Calls `visit(work, sent, is_open)` for each request that the lost server still owes an answer
/// for; `is_open`: the client is in a transaction behind it.
template <class Visit>
void Session::for_each_lost(Visit visit) {
  bool in_transaction = state_.status != wire::TxStatus::kIdle;
  bool is_open = in_transaction;
  sent_.for_each([&](const SentRequest& sent) {
    // A segment whose Sync was not sent has not been committed.
    const bool is_whole = !segment_open_ || &sent != &sent_.back();
    const LostWork work = lost_work(
        {sent.may_write, sent.commits, sent.controls, sent.ends_inside, is_whole}, in_transaction);
    if (sent.commits || sent.controls) in_transaction = is_open = false;
    is_open |= sent.ends_inside;
    visit(work, sent, is_open);
  });
}

bool Session::may_have_written() {
  bool unknown = false;
  for_each_lost([&](LostWork work, const SentRequest&, bool) {
    unknown |= loss_row(work).code == ErrorCode::kUnknownOutcome;
  });
  return unknown;
}

/// A write whose outcome is not known counts as one: who looks for it has to find it, if it is
/// there (D11, E21).
void Session::note_unknown_writes() {
  WrittenTables written = transaction_wrote_;
  bool may_write = transaction_may_write_;
  for_each_lost([&](LostWork, const SentRequest& sent, bool) {
    written.add(sent.written);
    may_write |= sent.may_write;
  });
  if (!may_write || lease_.target != Target::kPrimary || !may_have_written()) return;
  // What was acknowledged under an earlier epoch may be lost all the same (E24).
  if (state_.wrote_at == Time{}) state_.wrote_epoch = environment_.epoch;
  state_.wrote_at = host_.note_write(written);
}

/// Everything that the lost server still owed is answered, each request once (E20, E21, E27). A
/// transaction stays open and failed until the client ends it: what it may have sent already must
/// not be executed outside of it.
void Session::answer_lost_requests(std::string_view how) {
  std::string out(repeat_.take_head());
  give_up_repeat();
  std::vector<std::pair<LostWork, bool>> lost;
  for_each_lost(
      [&](LostWork work, const SentRequest&, bool is_open) { lost.emplace_back(work, is_open); });
  const bool was_open = state_.status != wire::TxStatus::kIdle;
  const bool was_cancelled = cancel_requested_ && lost.size() == 1;
  state_.statements.on_skipped();
  state_.portals.clear();
  state_.variables.on_rollback();
  transaction_.on_end();
  state_.status = wire::TxStatus::kIdle;
  transaction_may_write_ = false;
  transaction_catalog_change_ = CatalogChange::kNone;
  transaction_wrote_.clear();
  cancel_requested_ = false;
  answered_at_ = host_.now();
  if (lost.empty()) {
    lost_transaction_ = lost_transaction_ || was_open;
    return;
  }
  for (const auto& [work, is_open] : lost) {
    state_.status = is_open ? wire::TxStatus::kFailed : wire::TxStatus::kIdle;
    host_.note_error();
    const bool is_as_asked = was_cancelled && work == LostWork::kRead;
    const Error error =
        is_as_asked ? Error{ErrorCode::kQueryCanceled, "canceling statement due to user request"}
                    : loss_error(work, how);
    wire::append_error(out, wire::Severity::kError, error);
    if ((sent_.size() == 1 && owes_sync()) || sent_.front().isolated) {
      skipping_ = true;  // The client still owes the Sync.
    } else {
      wire::append_ready_for_query(out, state_.status);
    }
    sent_.pop();
  }
  if (state_.status == wire::TxStatus::kFailed) transaction_.fail();
  segment_open_ = false;
  host_.to_client(out);
}

/// Whether the client still has to send the Sync of what was sent last. A COPY has swallowed the
/// one that came with it (F25); a Query of which only the head is out has none.
bool Session::owes_sync() const {
  const bool is_query = plan_.end == RequestEnd::kOversize && ends_with_ready(plan_.end, plan_);
  return segment_open_ && !is_query;
}

/// A60: a read of which the client has seen nothing.
bool Session::repeat_elsewhere() {
  const bool leaves_replica = repeat_.scope() == ReadRepeat::Scope::kRead;
  const bool possible = (leaves_replica || repeat_.scope() == ReadRepeat::Scope::kLoss) &&
                        !repeated_ && !cancel_requested_ && sent_.size() == 1;
  if (possible) want_repeat(leaves_replica ? std::optional(Target::kReplica) : std::nullopt);
  return possible;
}

void Session::on_node_down(NodeIndex node) {
  if (server_ == nullptr || lease_.node != node || swallowing_) return;
  // The cancel does not reach a node that hangs, and nobody wants the read any more.
  const bool is_unseen_read = repeat_.scope() == ReadRepeat::Scope::kRead && sent_.size() == 1;
  if (cancel_requested_ && is_unseen_read && !question_) {
    host_.close_server();
    return on_server_lost({ErrorCode::kConnectionFailure, "its node does not answer"});
  }
  if (stage_ == Stage::kSettings && lease_.target == Target::kReplica &&
      state_.pins.reasons().empty()) {
    avoid_.push_back(node);  // Nothing of the request was sent: another server will do.
    moves_transaction();
  } else if (question_ || !repeat_elsewhere()) {
    return;
  }
  swallowing_ = false;
  close_server();
  host_.wake();
}

void Session::on_new_epoch(const ClusterSnapshot& cluster) {
  if (server_ == nullptr || !is_superseded(lease_.target, *server_, cluster)) return;
  host_.close_server();
  lose_server({ErrorCode::kConnectionFailure, "its node is not the primary any more"});
  if (stage_ == Stage::kTurn) end_if_done();
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
  const bool waits_for_news = stage_ == Stage::kToken || stage_ == Stage::kReport;
  const bool waits_for_pause = stage_ == Stage::kServer && server_ != nullptr;
  if (waits_for_news || waits_for_pause) {
    cancel_requested_ = true;
    host_.end_wait();
    return host_.wake();
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
  if (ended_) return;
  if (server_ != nullptr && held_ready_ && !question_) return ask_follow_up();
  release_if_done();
}

/// Something was asked for, and the answer is not complete. A segment without its Sync is answered
/// as far as it goes (F23), and the client's turn.
bool Session::is_busy() const {
  if (waits_for_lease_ || question_) return true;
  return !sent_.empty() && (server_ == nullptr || !server_->responses.empty());
}

void Session::tick(Time heard_at) {
  if (ended_ || is_busy()) return;
  const Duration idle = host_.now() - std::max(heard_at, answered_at_);
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

/// The client has to leave, and what it was waited for is over.
void Session::end_if_done() {
  if (end_when_idle_ && !in_transaction() && !waits_for_lease_ && sent_.empty()) end(true);
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
  const bool quiet = sent_.empty() && !segment_open_ && !half_sent_;
  if (quiet && question_ && !held_ready_) return;  // It comes back here behind the answer.
  if (!quiet || question_ || !server_->responses.empty()) {
    // A statement that runs on would keep its locks until its end.
    ++cancels_running_;
    host_.cancel_statement();
    return close_server();
  }
  if (cancels_running_ > 0) return;  // It comes back here when the cancel is through.
  if (server_->status != wire::TxStatus::kIdle)
    return ask(OwnQuestion::Kind::kRollback, "ROLLBACK");
  if (state_.variables.lost()) return close_server();  // Nobody knows what it has.
  // It may not have come to its boundary, and the next client relies on what is noted there.
  const bool has_ours = stage_ != Stage::kServer && stage_ != Stage::kSettings;
  if (has_ours) server_->variables = state_.variables.take_on_server();
  if (on_left_clean()) on_server_done();
}

}  // namespace fairlead::core
