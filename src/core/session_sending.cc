// Session: a request is written for its server, and noted until it is answered.
#include <algorithm>

#include "core/session.h"
#include "wire/backend_encode.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"

namespace fairlead::core {
namespace {

using Treatment = PlannedMessage::Treatment;

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

bool controls_transaction(const RequestPlan& plan) {
  return !plan.executions.empty() && std::ranges::all_of(plan.executions, [](const auto& one) {
    return one.facts->statements > 0 && one.facts->transaction.size() == one.facts->statements;
  });
}

/// Whether something of it may begin or end a transaction.
bool request_may_control(const RequestPlan& plan) {
  if (plan.executions.empty()) return plan.executes;  // Its text was not seen.
  return std::ranges::any_of(plan.executions,
                             [](const auto& one) { return may_control_transaction(*one.facts); });
}

/// The text that the request executes first; empty: it comes from an earlier request.
std::string_view text_of(const RequestPlan& plan, std::string_view request) {
  for (const PlannedMessage& planned : plan.messages) {
    if (planned.executed) return planned.executed->query();
    const char type = planned.message.type;
    if ((type == wire::frontend::kBind || type == wire::frontend::kQuery) && planned.statement)
      return planned.statement->query();
    if (type != wire::frontend::kQuery) continue;
    const std::string_view body = planned.message.body(request);
    return body.substr(0, body.find('\0'));
  }
  return {};
}

bool is_proven_read(const RequestPlan& plan) {
  return plan.decision.access == sql::Access::kRead ||
         (plan.opens && plan.opens->read_only.value_or(false) && !plan.leaves_transaction);
}

}  // namespace
void Session::send_request(std::string_view request) {
  if (cancel_requested_ && sent_.empty()) {  // It was cancelled on its way (F42).
    cancel_requested_ = false;
    refuse({ErrorCode::kQueryCanceled, "canceling statement due to user request"});
    return server_->status == wire::TxStatus::kIdle ? release_if_done() : leave_server();
  }
  const bool is_first = state_.status == wire::TxStatus::kIdle || transaction_.is_untouched();
  const bool alone = sent_.empty() && !segment_open_ && is_first;
  const bool complete = end_ == RequestEnd::kSync || end_ == RequestEnd::kQuery;
  const bool is_free = state_.pins.reasons().empty();  // Else no other server will do (C22).
  auto scope = ReadRepeat::Scope::kNone;
  if (alone && complete && !repeated_ && request.size() <= environment_.repeat_max) {
    if (lease_.target == Target::kReplica && is_proven_read(plan_) && route_.node.empty() &&
        is_free)
      scope = ReadRepeat::Scope::kRead;
    else if (plan_.decision.access == sql::Access::kRead && is_free &&
             state_.status == wire::TxStatus::kIdle)
      scope = ReadRepeat::Scope::kLoss;
    else if (uses_statement(plan_) && count_executes(plan_) <= 1)
      scope = ReadRepeat::Scope::kStalePlan;
  }
  repeat_.begin(request, scope);
  if (plan_.executes) {
    note_route();
    if (would_be_ && !repeated_) note_observed(request);
  }
  note_sent();
  transaction_.on_sent();
  write_request(request);
  if (ended_) return;
  segment_open_ = end_ == RequestEnd::kFlush || end_ == RequestEnd::kOversize;
  open_message_sent_ = end_ == RequestEnd::kOversize;
  const bool outside = state_.status == wire::TxStatus::kIdle;
  if (alone && outside && end_ == RequestEnd::kFlush && !plan_.executes) isolate_segment();
  SentRequest& sent = sent_.back();
  sent.alone = sent.alone || sent.changes_statements || server_->statements.unanswered() > 0;
  injected_.clear();
  take_locals(injected_);
  if (!injected_.empty()) forward(injected_);
  release_if_done();
}

void Session::write_request(std::string_view request) {
  const bool outside =
      state_.status == wire::TxStatus::kIdle && sent_.size() == 1 && !segment_open_;
  RequestWriter writer(server_->statements, server_->responses, parse_state(), outside);
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
  if (plan_.decision.may_write) note_written(sent.written);
  if (plan_.executes && lease_.target == Target::kPrimary) server_->sequences_used = true;
  if (request_may_control(plan_)) {
    sent.controls = true;
    sent.ends_inside = plan_.ends_inside;
  }
  if (plan_.changes_session || continues) {
    for (Execution& execution : plan_.executions) sent.executions.push_back(std::move(execution));
  }
  sent.may_write |= plan_.decision.may_write;
  sent.commits |= plan_.commits;
  sent.catalog_change = std::max(sent.catalog_change, plan_.catalog_change);
  sent.prepares_unseen |= plan_.prepares_unseen;
  sent.changes_statements |= plan_.changes_statements;
  sent.alone |= plan_.resets || plan_.changes_settings || plan_.copy_in || plan_.prepares_unseen ||
                (plan_.changes_session && state_.variables.changes_open());
  for (const PlannedMessage& planned : plan_.messages)
    if (planned.treatment == Treatment::kRefuse && sent.refusal.empty())
      sent.refusal = planned.answer;  // The first one; the server skips what follows.
  note_pins(plan_.pins, plan_.opaque, state_.pins);
}

/// What the request may change: more than its texts tell, where it has some that are not known.
void Session::note_written(WrittenTables& written) const {
  if (plan_.executions.empty() || plan_.opaque || plan_.prepares_unseen ||
      plan_.catalog_change >= CatalogChange::kSeen)
    return written.add_whole_database();
  for (const Execution& execution : plan_.executions)
    written.add(*execution.facts, environment_.catalog);
}

void Session::note_route() {
  const bool is_first = state_.status == wire::TxStatus::kIdle || transaction_.is_untouched();
  last_route_.reason = !is_first                        ? sql::Reason::kInTransaction
                       : !state_.pins.reasons().empty() ? sql::Reason::kPinned
                                                        : lease_.reason;
  last_route_.target = lease_.target;
  last_route_.node = lease_.node;
  last_route_.attempts = attempts_;
  host_.note_statement(lease_, last_route_.reason);
  if (sent_.empty() && !mid_message_ && explains()) explain_route();
}

void Session::note_observed(std::string_view request) {
  const bool opens =
      transaction_.is_untouched() || (plan_.begins && state_.status == wire::TxStatus::kIdle);
  const bool in_transaction = state_.status != wire::TxStatus::kIdle && !opens;
  host_.note_observed({.would = *would_be_,
                       .own = plan_.decision,
                       .opens = opens,
                       .controls = controls_transaction(plan_),
                       .in_transaction = in_transaction,
                       .stays_movable = is_movable_read(plan_) || ends_transaction(plan_),
                       .pinned = !in_transaction && !state_.pins.reasons().empty(),
                       .text = text_of(plan_, request),
                       .reads = opens || in_transaction ? nullptr : &plan_});
}

void Session::explain_route() {
  std::string message = lease_.target == Target::kPrimary ? "primary " : "replica ";
  message.append(host_.node_name(lease_.node)).append(": ");
  message.append(sql::reason_name(last_route_.reason));
  std::string detail(sql::reason_description(last_route_.reason));
  detail += " Attempt " + std::to_string(last_route_.attempts) + ", waited " +
            std::to_string(last_route_.waited_us) + " us.";
  std::string notice;
  wire::append_notice(notice, wire::Severity::kNotice, message, detail);
  host_.to_client(notice);
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
  if (server_ == nullptr || skipping_ || (is_rest && !open_message_sent_)) return Pause::kInput;
  const bool is_given_up = !is_rest && server_->responses.empty();
  if (is_given_up && !half_sent_) return Pause::kInput;
  if (host_.server_blocked()) return Pause::kBlocked;
  if (is_given_up) return send_last_piece(bytes);
  half_sent_ = !reader_.at_boundary();
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

/// The server has given up a COPY while a row was half sent. It reads that one to its end and drops
/// it; until then nobody else may use it.
Pause Session::send_last_piece(std::string_view bytes) {
  const RequestMessage& piece = reader_.messages().front();
  half_sent_ = reader_.messages().size() == 1 && !reader_.at_boundary();
  host_.to_server(piece.frame(bytes));
  release_if_done();
  return Pause::kInput;
}

}  // namespace fairlead::core
