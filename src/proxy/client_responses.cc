// ClientSession: what a leased server says. Runs in the server's reading coroutine; nothing here
// waits.
#include "proxy/client_session.h"
#include "proxy/retry_rules.h"
#include "proxy/worker.h"
#include "wire/backend_encode.h"
#include "wire/error_fields.h"
#include "wire/message_type.h"

namespace fairlead::proxy {

namespace backend = wire::backend;
using core::Answer;
using core::Expect;
using core::Target;
using wire::Piece;

Relayed ClientSession::on_server_piece(const Piece& piece) {
  if (piece.kind == Piece::Kind::kMiddle || piece.kind == Piece::Kind::kLast) {
    mid_message_ = streaming_forward_ && piece.kind != Piece::Kind::kLast;
    return {.forward = streaming_forward_};
  }
  const auto answer = server_->responses().on_message(piece.type);
  if (!answer) {
    ServerConnection& server = *server_;
    server.end_lease();
    on_server_lost(answer.error());
    server.close(false);
    return {.forward = false};
  }
  injected_.clear();
  const Relayed relayed = on_message(piece, *answer);
  streaming_forward_ = relayed.forward;
  mid_message_ = relayed.forward && piece.kind == Piece::Kind::kFirst;
  return relayed;
}

Relayed ClientSession::on_message(const Piece& piece, const Answer& answer) {
  if (helper_) return on_helper_piece(piece);
  switch (piece.type) {
    case backend::kDataRow:
    case backend::kCopyData:
      repeat_bytes_.clear();
      return {.forward = answer.forward && !swallowing_};
    case backend::kReadyForQuery:
      return on_ready(piece, answer);
    case backend::kErrorResponse:
      return on_error(piece, answer);
    case backend::kParameterStatus:
      return on_parameter(piece, answer);
    case backend::kCommandComplete:
    case backend::kEmptyQueryResponse:
    case backend::kPortalSuspended:
      if (answer.forward) on_tag(piece);
      break;
    default:
      break;
  }
  if (swallowing_) return {.forward = false};
  if (answer.completes) confirm(answer.what);
  const bool starts_answer =
      piece.type == backend::kCommandComplete || piece.type == backend::kEmptyQueryResponse ||
      piece.type == backend::kPortalSuspended || piece.type == backend::kCopyInResponse ||
      piece.type == backend::kCopyOutResponse || piece.type == backend::kCopyBothResponse;
  if (starts_answer && answer.forward) repeat_bytes_.clear();
  take_locals(injected_);
  return {.forward = answer.forward, .after = injected_};
}

/// Tells the client's and the server's statements of an answer (prepared_client.h,
/// prepared_server.h).
void ClientSession::confirm(const core::Expectation& what) {
  if ((what.tag & core::kConfirmsServerParse) != 0) server_->state().statements.on_parse_complete();
  if ((what.tag & core::kConfirmsServerClose) != 0) server_->state().statements.on_close_complete();
  if ((what.tag & core::kConfirmsClientChange) == 0) return;
  if (++confirmed_ > already_confirmed_) session_.statements.on_confirmed();
}

void ClientSession::take_locals(std::string& out) {
  while (const auto local = server_->responses().take_local(out)) confirm(*local);
}

/// One statement of the request has completed.
void ClientSession::on_tag(const Piece& piece) {
  if (sent_.empty()) return;
  Sent& front = sent_.front();
  if (piece.type == backend::kPortalSuspended || front.completed == front.executions.size()) return;
  const sql::QueryFacts& facts = *front.executions[front.completed].facts;
  if (!facts.transaction.empty() && piece.kind == Piece::Kind::kWhole) {
    const auto tag = wire::CommandComplete::decode(piece.body());
    const bool asked_to_commit =
        facts.transaction[0].kind != sql::TransactionCommand::Kind::kRollback &&
        facts.transaction[0].kind != sql::TransactionCommand::Kind::kRollbackTo;
    if (tag && asked_to_commit && tag->command() == "ROLLBACK") front.rolled_back = true;  // B11
  }
  if (++front.completed_parts < facts.statements) return;
  front.completed_parts = 0;
  ++front.completed;
}

Relayed ClientSession::on_parameter(const Piece& piece, const Answer&) {
  const auto status = wire::ParameterStatus::decode(piece.body());
  if (!status) return {.forward = false};
  ServerState& state = server_->state();
  state.reported.set(status->name, status->value);
  if (core::describes_node(status->name)) return {.forward = false};  // C7
  session_.variables.on_reported(status->name, status->value,
                                 state.login_reported.value_or(status->name, ""),
                                 session_.text_rules().client_encoding);
  session_.seen.set(status->name, status->value);
  return {.forward = !swallowing_};
}

Relayed ClientSession::on_error(const Piece& piece, const Answer& answer) {
  const auto error = piece.kind == Piece::Kind::kWhole
                         ? wire::ErrorFields::decode(piece.body())
                         : Result<wire::ErrorFields>(wire::ErrorFields::decode_head(piece.body()));
  const bool is_extended = answer.what.kind != Expect::kQuery &&
                           answer.what.kind != Expect::kFunctionCall &&
                           answer.what.kind != Expect::kSync;
  if (is_extended && answer.completes) server_->state().statements.on_error_skip();
  const bool stale_plan = error && is_stale_plan(*error);
  if (stale_plan)
    server_->state()
        .statements.forget_all();  // C11: its texts are parsed again under the new catalog.

  const RetryAdvice advice = error && may_repeat() ? advise_retry(*error) : RetryAdvice::kNone;
  // The read port refuses what a standby refuses; the primary must not make up for it.
  const bool stays = session_.port == core::Port::kRead && advice == RetryAdvice::kPrimary;
  if (advice != RetryAdvice::kNone && !stays) {
    want_retry(advice == RetryAdvice::kPrimary ? Target::kPrimary : Target::kReplica);
    return {.forward = false, .discard = true};
  }
  if (swallowing_) return {.forward = false};
  repeat_bytes_.clear();
  if (!sent_.empty()) {
    sent_.front().failed = true;
    if (sent_.front().isolated) skipping_ = true;
  }
  if ((answer.what.tag & core::kRepliesLater) != 0) {
    held_error_ = std::string(piece.bytes);
    return {.forward = false};
  }
  if (is_extended && answer.completes) {
    const bool refused = (answer.what.tag & core::kConfirmsClientChange) != 0;
    refused ? session_.statements.on_refused() : session_.statements.on_skipped();
  }
  if (!held_error_.empty() && !answer.what.hidden) {
    injected_ = std::exchange(held_error_, {});
    return {.forward = false, .after = injected_};
  }
  if ((answer.what.tag & core::kReplacesError) != 0 && !sent_.empty()) {
    injected_ = sent_.front().refusal;
    return {.forward = false, .after = injected_};
  }
  return {.forward = true};
}

Relayed ClientSession::on_ready(const Piece& piece, const Answer& answer) {
  const auto ready = wire::ReadyForQuery::decode(piece.body());
  const wire::TxStatus status = ready ? ready->status : wire::TxStatus::kIdle;
  server_->state().status = status;
  if (swallowing_) {  // The replica has finished with a request that is repeated elsewhere.
    const bool over = server_->responses().empty();
    return {.forward = false, .done = over};
  }
  const bool isolated = !sent_.empty() && sent_.front().isolated;
  if (!answer.forward &&
      !isolated) {  // Of something put in before the client's own: PREPARE, DEALLOCATE.
    const bool refused = (answer.what.tag & core::kRepliesLater) != 0 && !held_error_.empty();
    refused ? server_->state().statements.on_error_skip() : confirm(answer.what);
    return {.forward = false};
  }
  if ((answer.what.tag & core::kConfirmsClientChange) != 0 && !sent_.empty()) {  // SQL PREPARE.
    if (sent_.front().failed) {
      session_.statements.on_refused();
      server_->state().statements.on_error_skip();
    } else {
      confirm(answer.what);
    }
  }
  finish_front(status);
  repeat_bytes_.clear();
  append_parameter_changes(injected_);
  const bool release = server_->responses().empty() && sent_.empty() && at_boundary();
  changed_.notify_all();
  return {.forward = answer.forward, .done = release, .before = injected_};
}

/// The front request is answered: what it did counts now (B8: not before ReadyForQuery).
void ClientSession::finish_front(wire::TxStatus status) {
  if (sent_.empty()) return;
  Sent& front = sent_.front();
  for (size_t i = 0; i < front.completed; ++i)
    core::apply_execution(front.executions[i], front.rolled_back, session_);
  core::apply_ready(status, front.failed, session_);
  transaction_may_write_ = transaction_may_write_ || front.may_write;
  if (status == wire::TxStatus::kIdle) {
    if (transaction_may_write_ && choice_.target == Target::kPrimary) {
      session_.wrote_at = net::Loop::now();
      tenant_.note_write(session_.wrote_at);
    }
    transaction_may_write_ = false;
    if (front.changes_catalog)
      worker_.shared().control->catalog_changed(tenant_.cluster(), tenant_.database());
  }
  sent_.erase(sent_.begin());
}

/// Nothing is owed by the server. True: its lease ends; false: it is kept, or a question of ours
/// has to be answered first.
bool ClientSession::at_boundary() {
  ServerState& state = server_->state();
  if (state.status != wire::TxStatus::kIdle || segment_open_ || !server_->responses().empty() ||
      helper_)
    return false;
  if (session_.variables.lost()) {
    fatal({ErrorCode::kLimitExceeded, "too many settings in this session"});
    return false;
  }
  state.statements.on_boundary();
  if (session_.variables.needs_read_back()) {
    ask(OwnQuestion::Kind::kReadBack, session_.variables.read_back_query());
    return false;
  }
  state.variables = session_.variables.take_on_server();
  switch (session_.pins.at_boundary()) {
    case core::ReleaseAction::kKeep:
      return false;
    case core::ReleaseAction::kCheck:
      ask(OwnQuestion::Kind::kPinCheck, core::check_query(session_.pins.suspects()));
      return false;
    case core::ReleaseAction::kReset:
      ask(OwnQuestion::Kind::kReset, "DISCARD ALL");
      return false;
    case core::ReleaseAction::kReuse:
      break;
  }
  return cancels_running_ == 0;  // F41
}

/// C7: what the client believes is made true before it goes on.
void ClientSession::append_parameter_changes(std::string& out) {
  const core::ReportedParameters& reported = server_->state().reported;
  if (reported == session_.seen) return;
  for (const core::ReportedParameter* changed : core::differences(session_.seen, reported)) {
    wire::append_parameter_status(out, changed->name, changed->value);
    session_.seen.set(changed->name, changed->value);
  }
}

void ClientSession::on_server_done() {
  ServerConnection& server = *std::exchange(server_, nullptr);
  tenant_.pool(server.state().node).release(server);
  if (swallowing_) {
    swallowing_ = false;
    stream_.interrupt();
  }
  if (end_when_idle_) end(true);
  changed_.notify_all();
}

/// While a request can still be repeated, the start of its answer is held back; then it goes out
/// with what follows, in one write.
void ClientSession::forward(std::string_view bytes) {
  if (!repeat_bytes_.empty()) {
    head_.append(bytes);
    if (head_.size() < kHeadMax) return;
    repeat_bytes_.clear();
    flush_head();
    return;
  }
  if (!head_.empty()) {
    head_.append(bytes);
    flush_head();
    return;
  }
  outbox_.send(bytes);
}

void ClientSession::flush_head() {
  outbox_.send(head_);
  head_.clear();
}

bool ClientSession::may_repeat() const {
  return !repeat_bytes_.empty() && attempts_ < 1 && !cancel_requested_ && !ending_ &&
         sent_.size() == 1;
}

void ClientSession::want_retry(Target target) {
  retry_wanted_ = true;
  retry_target_ = target;
  failed_node_ = choice_.node;
  head_.clear();
  swallowing_ = true;
}

net::Task<void> ClientSession::unblocked() {
  ++unblocking_;
  while (outbox_.blocked() && !ending_) co_await changed_.wait();
  --unblocking_;
  changed_.notify_all();
}

}  // namespace fairlead::proxy
