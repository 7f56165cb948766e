// Session: the way of a request to a server. Every step goes as far as it can; what it cannot do
// yet is said as a Pause, and tried again after the next event.
#include "core/replay.h"
#include "core/session.h"
#include "wire/backend_encode.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"

namespace fairlead::core {
namespace {

using Treatment = PlannedMessage::Treatment;

// A node that does not let us in costs a connection attempt; three others are enough to try.
constexpr uint32_t kLeaseAttemptsMax = 4;

bool ends_with_ready(RequestEnd end, const RequestPlan& plan) {
  if (end == RequestEnd::kSync || end == RequestEnd::kQuery || end == RequestEnd::kCall)
    return true;
  if (end != RequestEnd::kOversize || plan.messages.empty()) return false;
  const char last = plan.messages.back().message.type;
  return last == wire::frontend::kQuery || last == wire::frontend::kFunctionCall;
}

size_t count_executes(const RequestPlan& plan) {
  size_t count = 0;
  for (const PlannedMessage& planned : plan.messages)
    count += planned.message.type == wire::frontend::kExecute ? 1 : 0;
  return count;
}

bool uses_statement(const RequestPlan& plan) {
  for (const PlannedMessage& planned : plan.messages)
    if (planned.treatment == Treatment::kUse || planned.treatment == Treatment::kSqlExecute)
      return true;
  return false;
}

bool is_proven_read(const RequestPlan& plan) {
  return plan.decision.access == sql::Access::kRead ||
         (plan.begin && plan.begin->read_only.value_or(false));
}

}  // namespace

/// Whether the next request may be looked at, and sent if it needs the server that is leased.
/// Requests that wait for an answer on the primary may be followed at once, because the primary is
/// right for everything; a replica's may not, because the next one may have to go elsewhere.
bool Session::is_my_turn() {
  if (question_ || held_ready_ || swallowing_ || cancels_running_ > 0) return false;
  if (sent_.empty()) return true;
  if (server_ == nullptr) return false;
  if (segment_open_ || server_->responses.copying_in()) return true;
  if (lease_.target != Target::kPrimary || sent_.back().alone) return false;
  if (!repeat_.holds_back()) return true;
  // Only one request can be repeated, and only alone. To go on is worth more than a second chance
  // after a stale plan.
  repeat_.give_up();
  if (const std::string_view head = repeat_.take_head(); !head.empty()) host_.to_client(head);
  return true;
}

Pause Session::advance(std::string_view request) {
  if (end_ == RequestEnd::kRest || end_ == RequestEnd::kCopy) return send_raw(request);
  while (stage_ != Stage::kDone) {
    const Pause pause = advance_stage(request);
    if (ended_) return Pause::kEnded;
    if (pause != Pause::kInput) return pause;
  }
  stage_ = Stage::kTurn;
  return Pause::kInput;
}

Pause Session::advance_stage(std::string_view request) {
  switch (stage_) {
    case Stage::kTurn:
      if (server_ != nullptr && host_.server_blocked()) return Pause::kBlocked;
      if (!is_my_turn()) return Pause::kTurn;
      stage_ = Stage::kPlan;
      [[fallthrough]];
    case Stage::kPlan:
      skipping_ ? skip_to_sync() : plan_request(request);
      return Pause::kInput;
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
  stage_ = Stage::kSettings;
  return Pause::kInput;
}

void Session::ask_for_server() {
  waits_for_lease_ = true;
  ++attempts_;
  host_.lease({.route = route_, .kept = kept_node_, .avoid = avoid_});
}

void Session::on_lease(ServerState& server, const Lease& lease) {
  waits_for_lease_ = false;
  server_ = &server;
  lease_ = lease;
  last_route_.waited_us += lease.waited_us;
  if (lease.target == Target::kReplica) kept_node_ = lease.node;
  host_.wake();
}

void Session::on_no_lease(NoLease why) {
  waits_for_lease_ = false;
  host_.wake();
  if (ended_) return;
  if (why.tried) {
    if (why.tried->target == Target::kReplica && attempts_ < kLeaseAttemptsMax) {
      avoid_ = why.tried->node;  // Nothing was sent yet: any other node will do.
      route_.node.clear();
      return ask_for_server();
    }
  }
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
  if (question_) return Pause::kTurn;
  const bool at_start = state_.status == wire::TxStatus::kIdle && sent_.empty() && !segment_open_;
  if (at_start && !(server_->variables == state_.variables.committed())) {
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
  stage_ = Stage::kSend;
  return Pause::kInput;
}

/// After an error in a segment that the server does not know of any more, the client's own messages
/// up to its Sync are dropped, as a server would (F22).
void Session::skip_to_sync() {
  stage_ = Stage::kDone;
  if (end_ != RequestEnd::kSync) return;
  skipping_ = false;
  std::string out;
  wire::append_ready_for_query(out, state_.status);
  host_.to_client(out);
}

void Session::plan_request(std::string_view request) {
  attempts_ = 0;
  repeated_ = false;
  avoid_.reset();
  confirmed_ = 0;
  already_confirmed_ = 0;
  last_route_.waited_us = 0;
  const PlanningSources sources{environment_.shapes, environment_.registry, environment_.catalog};
  const auto planned = environment_.planner->plan(sources, state_, request, reader_.messages(),
                                                  end_, segment_open_, plan_);
  if (!planned) return fatal(planned.error());
  if (lost_transaction_) {
    lost_transaction_ = false;
    return refuse({ErrorCode::kConnectionFailure, "the server of this transaction was lost",
                   "nothing of the transaction was committed", "Begin the transaction again."});
  }
  if (answer_locally()) {
    stage_ = Stage::kDone;
    return;
  }
  route_ = route_request();
  stage_ = Stage::kServer;
}

Route Session::route_request() const {
  RouteInput input;
  input.port = state_.port;
  input.hint = plan_.hints.route;
  if (!input.hint) {
    if (const Setting* route = state_.variables.find("fairlead.route")) {
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
    input.decision = {sql::Access::kPrimary, sql::Reason::kPipelineOpen, true};
  if (plan_.end == RequestEnd::kOversize)
    input.decision = {sql::Access::kPrimary, sql::Reason::kTooLarge, true};
  input.default_read_only = state_.default_read_only();
  const Setting* isolation = state_.variables.find("default_transaction_isolation");
  input.default_serializable = isolation != nullptr && isolation->text() == "serializable";
  return decide_route(input);
}

void Session::send_request(std::string_view request) {
  if (cancel_requested_ && sent_.empty()) {  // It was cancelled on its way (F42).
    cancel_requested_ = false;
    refuse({ErrorCode::kQueryCanceled, "canceling statement due to user request"});
    return release_if_done();
  }
  const bool alone = sent_.empty() && !segment_open_ && state_.status == wire::TxStatus::kIdle;
  const bool complete = end_ == RequestEnd::kSync || end_ == RequestEnd::kQuery;
  auto scope = ReadRepeat::Scope::kNone;
  if (alone && complete && !repeated_ && request.size() <= environment_.repeat_max) {
    if (lease_.target == Target::kReplica && is_proven_read(plan_) && route_.node.empty())
      scope = ReadRepeat::Scope::kRead;
    else if (uses_statement(plan_) && count_executes(plan_) <= 1)
      scope = ReadRepeat::Scope::kStalePlan;
  }
  repeat_.begin(request, scope);
  if (plan_.executes) note_route();
  note_sent();
  write_request(request);
  if (ended_) return;
  segment_open_ = end_ == RequestEnd::kFlush || end_ == RequestEnd::kOversize;
  if (alone && end_ == RequestEnd::kFlush && !plan_.executes) isolate_segment();
  SentRequest& sent = sent_.back();
  sent.alone = sent.alone || sent.changes_statements || server_->statements.unanswered() > 0;
  injected_.clear();
  take_locals(injected_);
  if (!injected_.empty()) forward(injected_);
  release_if_done();
}

void Session::write_request(std::string_view request) {
  RequestWriter writer(server_->statements, server_->responses, parse_state());
  if (is_verbatim(plan_)) {
    writer.expect_verbatim(plan_);
    return host_.to_server(request);
  }
  out_.clear();
  if (const auto written = writer.write(request, plan_, out_); !written)
    return fatal(written.error());
  if (!out_.empty()) host_.to_server(out_);
}

/// What the client's texts mean now. When that is not known, every statement is parsed anew, under
/// a name of its own (C10); so is one whose meaning the session alone fixes, such as FETCH.
uint64_t Session::parse_state() {
  if (plan_.session_bound) {
    if (own_parse_state_ == 0) own_parse_state_ = environment_.registry->unique_parse_state();
    return own_parse_state_;
  }
  const auto known = state_.variables.parse_state();
  return known ? *known : environment_.registry->unique_parse_state();
}

/// Writes down what the answer will have to be told to.
void Session::note_sent() {
  SentRequest& sent = segment_open_ ? sent_.back() : sent_.push();
  const bool continues =
      segment_open_ || end_ == RequestEnd::kFlush || end_ == RequestEnd::kOversize;
  if (plan_.changes_session || continues) {
    for (Execution& execution : plan_.executions) sent.executions.push_back(std::move(execution));
  }
  sent.may_write |= plan_.decision.may_write;
  sent.commits |= plan_.commits;
  sent.changes_catalog |= plan_.changes_catalog;
  sent.prepares_unseen |= plan_.prepares_unseen;
  sent.changes_statements |= plan_.changes_statements;
  sent.alone |= plan_.resets;
  for (const PlannedMessage& planned : plan_.messages)
    if (planned.treatment == Treatment::kRefuse) sent.refusal = planned.answer;
  note_pins(plan_.pins, plan_.opaque, state_.pins);
}

void Session::note_route() {
  last_route_.reason = state_.status != wire::TxStatus::kIdle ? sql::Reason::kInTransaction
                       : !state_.pins.reasons().empty()       ? sql::Reason::kPinned
                                                              : lease_.reason;
  last_route_.target = lease_.target;
  last_route_.node = lease_.node;
  last_route_.attempts = attempts_;
  host_.note_statement(lease_, last_route_.reason);
}

/// Names alone and a Flush, as some drivers prepare: a Sync of ours ends the segment, so that the
/// server is free again while the application thinks, and what comes later can go where it belongs.
/// Nothing was executed, so no transaction is cut in two.
void Session::isolate_segment() {
  out_.clear();
  wire::append_sync(out_);
  host_.to_server(out_);
  server_->responses.expect({.kind = Expect::kSync, .hidden = true});
  sent_.back().isolated = true;
  sent_.back().alone = true;
  segment_open_ = false;
}

/// CopyData, and the rest of a message whose head is out already: bytes that nobody looks at. They
/// go to the server that has what came before them; a server that does not want CopyData drops it
/// itself, as after an error (F25).
Pause Session::send_raw(std::string_view bytes) {
  const bool is_rest = end_ == RequestEnd::kRest;
  if (server_ == nullptr || skipping_ || (!is_rest && server_->responses.empty()))
    return Pause::kInput;
  if (host_.server_blocked()) return Pause::kBlocked;
  if (is_rest) {
    const char type = reader_.open_type();
    const bool ends_request =
        type == wire::frontend::kQuery || type == wire::frontend::kFunctionCall;
    if (reader_.at_boundary() && ends_request) segment_open_ = false;
  } else {
    for (const RequestMessage& message : reader_.messages())
      if (message.type != wire::frontend::kCopyData) server_->responses.on_copy_end_sent();
  }
  host_.to_server(bytes);
  return Pause::kInput;
}

/// The request ends here, with an error in its place; the session goes on. Before the welcome it is
/// fatal.
void Session::refuse(const Error& error) {
  if (!welcomed_) return fatal(error);
  host_.note_error();
  state_.statements.on_skipped();
  state_.variables.on_rollback();
  state_.status = wire::TxStatus::kIdle;
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
    already_confirmed_ = confirmed_;
    confirmed_ = 0;
    if (plan_.changes_session) plan_.executions = std::move(sent_.front().executions);
    sent_.clear();
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
