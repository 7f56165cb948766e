// Session: the way of a request to a server. Every step goes as far as it can; what it cannot do
// yet is said as a Pause, and tried again after the next event.
#include <algorithm>

#include "core/replay.h"
#include "core/session.h"
#include "wire/backend_encode.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"

namespace fairlead::core {
namespace {

// A node that does not let us in costs a connection attempt; three replicas are enough to try, and
// then the primary.
constexpr uint32_t kLeaseAttemptsMax = 4;

}  // namespace

/// Whether the next request may be looked at, and sent if it needs the server that is leased.
/// Requests that wait for an answer on the primary may be followed at once, because the primary is
/// right for everything; a replica's may not, because the next one may have to go elsewhere.
bool Session::is_my_turn() {
  if (question_ || held_ready_ || swallowing_ || cancels_running_ > 0) return false;
  // Half of a notice or a notification is out: an answer of ours would stand in its middle.
  if (sent_.empty()) return server_ == nullptr || !mid_message_;
  if (server_ == nullptr || must_wait_for_room()) return false;
  if (segment_open_) return true;
  if (lease_.target != Target::kPrimary || sent_.back().alone) return false;
  // A pipeline would never come to rest, and the primary asks for that.
  if (environment_.holds_writes && state_.status == wire::TxStatus::kIdle) return false;
  if (!repeat_.holds_back()) return true;
  // Only one request can be repeated, and only alone. To go on is worth more than a second chance
  // after a stale plan.
  give_up_repeat();
  if (const std::string_view head = repeat_.take_head(); !head.empty()) host_.to_client(head);
  return true;
}

/// Whether it has to wait until everything before it is answered: it depends on the outcome, or is
/// answered by Fairlead, or brings a NOTICE, which must not come amid the answers of others. What
/// is planned while answers are owed goes out without any pause. In an open segment, whose answers
/// may wait for its own end, nothing can wait.
bool Session::waits_for_answers(std::string_view request) const {
  if (sent_.size() <= (segment_open_ ? 1u : 0u)) return false;
  return always_explains() ||
         environment_.planner->must_wait_its_turn(sources(), state_, request, reader_.messages());
}

Pause Session::advance(std::string_view request) {
  if (end_ == RequestEnd::kRest || end_ == RequestEnd::kCopy) return send_raw(request);
  while (stage_ != Stage::kDone) {
    const Pause pause = advance_stage(request);
    if (ended_) return Pause::kEnded;
    if (pause != Pause::kInput) return pause;
  }
  stage_ = Stage::kTurn;
  end_if_done();  // It may have been answered here.
  return ended_ ? Pause::kEnded : Pause::kInput;
}

Pause Session::advance_stage(std::string_view request) {
  switch (stage_) {
    case Stage::kTurn:
      if (server_ != nullptr && host_.server_blocked()) return Pause::kBlocked;
      if (!is_my_turn()) return Pause::kTurn;
      if (!must_skip() && waits_for_answers(request)) return Pause::kTurn;
      stage_ = Stage::kPlan;
      [[fallthrough]];
    case Stage::kPlan:
      open_message_sent_ = false;
      must_skip() ? skip_to_sync() : plan_request(request);
      return Pause::kInput;
    case Stage::kToken:
      return wait_for_token();
    case Stage::kReport:
      return wait_for_report();
    case Stage::kServer:
      return wait_for_server();
    case Stage::kSettings:
      return give_settings();
    case Stage::kSend:
      stage_ = Stage::kDone;
      send_request(request);
      return Pause::kInput;
    case Stage::kDone:
      break;
  }
  return Pause::kInput;
}

Pause Session::wait_for_server() {
  if (server_ == nullptr && !waits_for_lease_) ask_for_server();
  if (stage_ == Stage::kDone || ended_) return Pause::kInput;  // Refused.
  if (server_ == nullptr) return Pause::kServer;
  const bool is_new_epoch = state_.wrote_epoch != environment_.epoch && state_.wrote_at != Time{};
  const bool outside = state_.status == wire::TxStatus::kIdle || transaction_.is_deferred();
  if (is_new_epoch && outside && sent_.empty() && refuse_for_lost_writes()) {
    release_if_done();
    return Pause::kInput;
  }
  if (environment_.holds_writes && is_at_rest()) {
    if (const Pause pause = wait_for_pause(); pause != Pause::kInput) return pause;
    if (stage_ == Stage::kDone) {  // Refused.
      release_if_done();
      return Pause::kInput;
    }
  }
  stage_ = Stage::kSettings;
  return Pause::kInput;
}

/// E24: told once, and forgotten: from then on the session counts from what there is.
bool Session::refuse_for_lost_writes() {
  const auto above = host_.lost_above(state_.wrote_at, state_.wrote_epoch);
  state_.wrote_epoch = environment_.epoch;
  if (!above) return false;
  state_.wrote_at = {};
  const std::string message =
      "writes of this session may have been lost when another node became the primary";
  const std::string detail =
      *above ? "they were acknowledged when the last primary may have been beyond " +
                   above->to_string() + ", where the new one left its history"
             : "it is not known how much the new primary has of the last one's history";
  if (environment_.lost_writes_fail) {
    refuse({ErrorCode::kUnknownOutcome, message, detail,
            "This statement was not executed. Look whether your last changes are there."});
    return true;
  }
  std::string notice;
  wire::append_notice(notice, wire::Severity::kWarning, message, detail);
  host_.to_client(notice);
  return false;
}

/// Nothing of the client's runs on its server, which it has because of a pin, or only just got.
bool Session::is_at_rest() const {
  return lease_.target == Target::kPrimary && server_->status == wire::TxStatus::kIdle &&
         sent_.empty() && !segment_open_;
}

/// A planned switchover waits until nothing runs on the primary, so nothing may begin (E26).
Pause Session::wait_for_pause() {
  if (cancel_requested_) {  // F42
    cancel_requested_ = false;
    refuse({ErrorCode::kQueryCanceled, "canceling statement due to user request"});
    return Pause::kInput;
  }
  const auto may_begin = host_.may_begin();
  if (may_begin) return *may_begin ? Pause::kInput : Pause::kServer;
  refuse(may_begin.error());
  return Pause::kInput;
}

void Session::ask_for_server() {
  waits_for_lease_ = true;
  ++attempts_;
  // A transaction goes on to read what its first statement does not tell.
  const bool is_alone = state_.status == wire::TxStatus::kIdle && !plan_.begins;
  host_.lease({.route = route_,
               .kept = kept_node_,
               .avoid = avoid_,
               .past_replicas = attempts_ >= kLeaseAttemptsMax && !route_.replica_only,
               .reads = is_alone ? &plan_ : nullptr});
}

void Session::on_lease(ServerState& server, const Lease& lease) {
  waits_for_lease_ = false;
  server_ = &server;
  state_.variables.on_server_certain();
  half_sent_ = false;
  mid_message_ = false;
  row_passed_ = false;
  waits_for_room_ = false;
  forwards_message_ = false;  // The rest of what it said to nobody is not the client's.
  lease_ = lease;
  foreign_sequences_.on_lease(server.sequences_used);
  last_route_.waited_us += lease.waited_us;
  if (lease.target == Target::kReplica) kept_node_ = lease.node;
  host_.wake();
}

void Session::on_no_lease(NoLease why) {
  waits_for_lease_ = false;
  host_.wake();
  if (ended_) return;
  if (why.tried && why.tried->target == Target::kReplica && attempts_ < kLeaseAttemptsMax) {
    avoid_.push_back(why.tried->node);  // Nothing was sent yet: any other node will do.
    route_.node.clear();
    if (!why.server_error.empty()) refusal_ = std::make_unique<NoLease>(std::move(why));
    return ask_for_server();
  }
  // Nobody else could be asked: the words of the one that was say more (F27).
  if (!why.tried && why.error.code == ErrorCode::kCannotConnectNow && refusal_)
    why = std::move(*refusal_);
  refusal_.reset();
  cancel_requested_ = false;
  if (welcomed_ || why.server_error.empty()) return refuse(why.error);
  host_.to_client(why.server_error);  // The server's own words (F27).
  ended_ = true;
  host_.end_client();
}

/// Gives the server the client's settings (C3), and waits for its word that it has them: a request
/// must not be executed without them, so it does not travel with them.
Pause Session::give_settings() {
  if (server_ == nullptr) {  // It was lost meanwhile, and nothing was sent yet.
    stage_ = Stage::kServer;
    return Pause::kInput;
  }
  if (question_ || cancels_running_ > 0) return Pause::kTurn;
  const bool outside = state_.status == wire::TxStatus::kIdle || transaction_.is_deferred();
  const bool at_start = outside && sent_.empty() && !segment_open_;
  if (at_start && !state_.variables.share_if_equal(server_->variables)) {
    const auto batch = replay_batch(server_->variables, state_.variables.committed());
    if (!batch) {
      close_server();
      refuse(batch.error());
      return Pause::kInput;
    }
    if (!batch->empty()) {
      ask(OwnQuestion::Kind::kReplay, *batch);
      return Pause::kTurn;
    }
    server_->variables = state_.variables.committed();
  }
  if (at_start && must_forget_sequences()) {
    ask(OwnQuestion::Kind::kDiscardSequences, kDiscardSequences);
    return Pause::kTurn;
  }
  if (transaction_.is_deferred()) return begin_transaction();
  stage_ = Stage::kSend;
  return Pause::kInput;
}

/// After an error in a segment, the client's messages up to its Sync are dropped, as the server
/// does (F22), which may not know of the segment any more.
void Session::skip_to_sync() {
  stage_ = Stage::kDone;
  if (end_ != RequestEnd::kSync) return;
  std::string sync;
  if (skipping_) {
    skipping_ = false;
    wire::append_ready_for_query(sync, state_.status);
    return host_.to_client(sync);
  }
  wire::append_sync(sync);
  server_->responses.expect({.kind = Expect::kSync});
  segment_open_ = false;
  host_.to_server(sync);
}

bool Session::must_skip() const {
  return skipping_ || (server_ != nullptr && server_->responses.skipping());
}

/// False: the client has broken the protocol, and is told so.
bool Session::plan_messages(std::string_view request) {
  const auto planned = environment_.planner->plan(sources(), state_, request, reader_.messages(),
                                                  end_, segment_open_, plan_);
  if (!planned) fatal(planned.error());
  return planned.has_value();
}

void Session::plan_request(std::string_view request) {
  attempts_ = 0;
  repeated_ = false;
  replica_is_behind_ = false;
  avoid_.clear();
  refusal_.reset();
  last_route_.waited_us = 0;
  if (!plan_messages(request)) return;
  if (lost_transaction_ || transaction_.is_failed()) {
    if (!goes_on_behind_rollback())
      return lost_transaction_ ? answer_in_lost_transaction() : answer_in_failed_transaction();
    leave_failed_transaction(request);
  }
  if (ask_for_sequences()) return;
  shown_.clear();
  if (!sent_.empty()) return route_or_answer();  // Nothing is answered locally now.
  const bool needs_token = std::ranges::any_of(plan_.executions, [](const Execution& execution) {
    return asks_for_token(*execution.facts);
  });
  stage_ = needs_token ? Stage::kToken : Stage::kReport;
}

Pause Session::wait_for_token() {
  Result<std::optional<std::string>> token =
      fail(ErrorCode::kQueryCanceled, "canceling statement due to user request");
  if (!std::exchange(cancel_requested_, false)) token = host_.fresh_token();  // F42
  if (token && !*token) return Pause::kServer;
  stage_ = Stage::kReport;
  if (token) {
    token_ = **token;
  } else {
    refuse_shown(asks_for_token, token.error());
  }
  return Pause::kInput;
}

/// What Fairlead was to show will not be known. A transaction that a server knows of has to fail
/// with it there.
void Session::refuse_shown(bool (*is_asked)(const sql::QueryFacts&), const Error& error) {
  if (state_.status == wire::TxStatus::kIdle || transaction_.is_untouched()) return refuse(error);
  if (const auto index = plan_.find_execution(is_asked)) refuse_message(*index, error);
}

Pause Session::wait_for_report() {
  if (std::exchange(cancel_requested_, false)) {  // F42
    refuse_shown([](const sql::QueryFacts&) { return true; },
                 {ErrorCode::kQueryCanceled, "canceling statement due to user request"});
    if (stage_ != Stage::kDone) route_or_answer();
    return Pause::kInput;
  }
  for (const Execution& execution : plan_.executions) {
    const std::string_view name = report_name(*execution.facts);
    if (name.empty() || shown_.contains(name) || host_.report_columns(name).empty()) continue;
    auto report = host_.fresh_report(name);
    if (!report) return Pause::kServer;
    shown_.emplace(name, std::move(report));
  }
  if (waits_for_replica()) return Pause::kServer;
  route_or_answer();
  return Pause::kInput;
}

/// The request ends here, with an error in its place; the session goes on. Before the welcome it is
/// fatal.
void Session::refuse(const Error& error) {
  if (!welcomed_) return fatal(error);
  host_.note_error();
  state_.statements.on_skipped();
  state_.variables.on_rollback();
  if (transaction_.is_untouched()) transaction_.fail();
  state_.status = transaction_.is_failed() ? wire::TxStatus::kFailed : wire::TxStatus::kIdle;
  segment_open_ = false;
  std::string out;
  wire::append_error(out, wire::Severity::kError, error);
  if (ends_with_ready(end_, plan_)) {
    wire::append_ready_for_query(out, state_.status);
  } else {
    skipping_ = true;
  }
  host_.to_client(out);
  stage_ = Stage::kDone;
}

/// The request failed before the client saw anything of its answer: once more (A60).
Pause Session::advance_repeat() {
  if (swallowing_ || cancels_running_ > 0) return Pause::kTurn;
  const RequestEnd next_end = std::exchange(end_, plan_.end);  // Of a request that waits behind.
  if (!repeated_) {
    repeated_ = true;
    host_.note_retry();
    if (plan_.changes_session) plan_.executions = std::move(sent_.front().executions);
    sent_.clear();
    if (transaction_.stage() == ClientTransaction::Stage::kActive) transaction_.defer_again(false);
    if (const auto target = repeat_.target()) {
      route_ = {.target = *target,
                .reason = sql::Reason::kReplicaErrorRetry,
                .replica_only = state_.port == Port::kRead};
    }
    stage_ = Stage::kServer;
    if (cancel_requested_) {  // F44
      cancel_requested_ = false;
      refuse({ErrorCode::kQueryCanceled, "canceling statement due to user request"});
    }
  }
  const Pause pause = advance(repeat_.request());
  if (pause == Pause::kInput || pause == Pause::kEnded) repeat_.on_sent_again();
  end_ = next_end;
  return pause;
}

}  // namespace fairlead::core
