// Session: what a leased server says, message by message. Nothing here waits.
#include <algorithm>

#include "core/retry_rules.h"
#include "core/session.h"
#include "wire/backend_encode.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"
#include "wire/printable.h"

namespace fairlead::core {
namespace {

namespace backend = wire::backend;
using wire::Piece;

/// What a server says to what RequestWriter sends in the place of a refused message.
constexpr std::string_view kNoSuchStatement = "26000";

/// What a standby says to a write, and a primary to one in a read-only transaction.
constexpr std::string_view kReadOnlyTransaction = "25006";

/// With one of these something of the request has been executed.
bool begins_answer(char type) {
  return type == backend::kCommandComplete || type == backend::kEmptyQueryResponse ||
         type == backend::kPortalSuspended || type == backend::kCopyInResponse ||
         type == backend::kCopyOutResponse || type == backend::kCopyBothResponse;
}

/// The server's statements are not what they were taken for; nothing has been executed.
bool must_prepare_anew(const wire::ErrorFields& error) {
  return is_stale_plan(error) || is_lost_statement(error);
}

/// Answered within a segment that ends with a Sync, and so skipped up to it after an error.
bool is_extended(Expect kind) {
  return kind != Expect::kQuery && kind != Expect::kFunctionCall && kind != Expect::kSync;
}

/// What PostgreSQL answers with the tag ROLLBACK in a transaction that has failed (B11).
bool is_commit(const sql::QueryFacts& facts, size_t statement) {
  using Kind = sql::TransactionCommand::Kind;
  return std::ranges::any_of(facts.transaction, [&](const sql::TransactionCommand& command) {
    return command.statement == statement &&
           (command.kind == Kind::kCommit || command.kind == Kind::kPrepareTransaction);
  });
}

/// The server's own time limits end the client's connection, as they would without Fairlead (F52).
bool ends_the_client(std::string_view sqlstate) {
  return sqlstate == "25P03" || sqlstate == "25P04" || sqlstate == "57P05";
}

}  // namespace

Relayed Session::on_server_piece(const Piece& piece) {
  const bool is_row = piece.type == backend::kDataRow && piece.kind == Piece::Kind::kWhole;
  if (is_row && row_passed_) return {.forward = true};  // As the one right in front of it.
  row_passed_ = false;
  if (piece.kind == Piece::Kind::kMiddle || piece.kind == Piece::Kind::kLast) {
    if (question_ && !forwards_message_) question_->take(piece);
    mid_message_ = forwards_message_ && piece.kind != Piece::Kind::kLast;
    if (forwards_message_ && !mid_message_ && sent_.empty()) host_.wake();  // See is_my_turn().
    injected_.clear();
    if (piece.kind == Piece::Kind::kLast && !swallowing_) take_locals(injected_);
    note_room();
    return {.forward = forwards_message_, .after = injected_};
  }
  const auto answer = server_->responses.on_message(piece.type);
  if (!answer) {
    broken_ = answer.error();
    return {.forward = false, .broken = &*broken_};
  }
  injected_.clear();
  injected_after_.clear();
  const Relayed relayed = on_message(piece, *answer);
  note_room();
  if (segment_open_ && server_ != nullptr && server_->responses.empty()) answered_at_ = host_.now();
  forwards_message_ = relayed.forward;
  row_passed_ = is_row && relayed.forward && !question_;
  mid_message_ = relayed.forward && piece.kind == Piece::Kind::kFirst;
  return relayed;
}

/// A client that sends on and on behind a statement that runs must not be remembered without end. A
/// server may hold back answers until it is told to flush, and the client's own Flush or Sync may
/// stand behind what is not taken now.
bool Session::must_wait_for_room() {
  if (waits_for_room_ || !server_->responses.is_full()) return waits_for_room_;
  waits_for_room_ = true;
  std::string flush;
  wire::append_flush(flush);
  host_.to_server(flush);
  return true;
}

void Session::note_room() {
  if (!waits_for_room_ || server_ == nullptr || !server_->responses.has_room()) return;
  waits_for_room_ = false;
  host_.wake();
}

Relayed Session::on_message(const Piece& piece, const Answer& answer) {
  if (question_) return on_own_answer(piece);
  // It is of no request, and so of none that is repeated (F26).
  if (piece.type == backend::kNotificationResponse && piece.kind == Piece::Kind::kWhole &&
      (swallowing_ || repeat_.holds_back())) {
    host_.to_client(piece.bytes);
    return {.forward = false};
  }
  switch (piece.type) {
    case backend::kDataRow:
    case backend::kCopyData:
      if (answer.forward) give_up_repeat();
      return {.forward = answer.forward && !swallowing_};
    case backend::kReadyForQuery:
      return on_ready(piece, answer);
    case backend::kErrorResponse:
      return on_error(piece, answer);
    case backend::kParameterStatus:
      return on_parameter(piece);
    case backend::kCopyInResponse:
      // The Sync that came with the Execute is ignored (F25): the client has to send another.
      if (answer.what.kind == Expect::kExecute) {
        segment_open_ = true;
        host_.wake();  // That one may be here already.
      }
      break;
    case backend::kCommandComplete:
    case backend::kEmptyQueryResponse:
    case backend::kPortalSuspended:  // What it does besides has been done (F53).
      if ((answer.what.tag & kCompletesExecution) != 0) on_tag(piece);
      break;
    default:
      break;
  }
  if (swallowing_) return {.forward = false};
  if (answer.completes) confirm(answer.what);
  if (answer.forward && begins_answer(piece.type)) give_up_repeat();
  if (piece.kind == Piece::Kind::kWhole) take_locals(injected_);  // Else behind the last piece.
  return {.forward = answer.forward, .after = injected_};
}

/// Tells the client's and the server's statements of an answer (prepared_client.h,
/// prepared_server.h).
void Session::confirm(const Expectation& what) {
  if ((what.tag & kConfirmsServerParse) != 0)
    environment_.known->add(server_->statements.on_parse_complete());
  if ((what.tag & kConfirmsServerClose) != 0) server_->statements.on_close_complete();
  if ((what.tag & kConfirmsClientChange) == 0) return;
  if (!repeat_.holds_back()) return state_.statements.on_confirmed();
  ++held_confirmations_;  // The client does not know of it yet.
}

/// The answer goes out, and so what it says counts.
void Session::give_up_repeat() {
  repeat_.give_up();
  for (; held_confirmations_ > 0; --held_confirmations_) state_.statements.on_confirmed();
}

void Session::take_locals(std::string& out) {
  while (const auto local = server_->responses.take_local(out)) {
    confirm(*local);
    if ((local->tag & kEndsRequest) == 0) continue;
    finish_front(server_->status);
    wire::append_ready_for_query(out, server_->status);
  }
}

/// One statement of the request has completed.
void Session::on_tag(const Piece& piece) {
  if (sent_.empty() || swallowing_) return;
  SentRequest& front = sent_.front();
  if (front.completed == front.executions.size()) return;
  Execution& execution = front.executions[front.completed];
  if (piece.kind == Piece::Kind::kWhole && is_commit(*execution.facts, front.completed_parts)) {
    const auto tag = wire::CommandComplete::decode(piece.body());
    if (tag && tag->command() == "ROLLBACK") execution.rolled_back.push_back(front.completed_parts);
  }
  if (++front.completed_parts < execution.facts->statements) return;
  front.completed_parts = 0;
  const bool discards = execution.facts->discard == sql::Discard::kAll;
  if (drops_all_statements(*execution.facts)) server_->statements.on_all_dropped();
  front.on_completed();
  if (discards) on_discarded(front);
}

Relayed Session::on_parameter(const Piece& piece) {
  const auto status = wire::ParameterStatus::decode(piece.body());
  if (!status) return {.forward = false};
  server_->on_parameter(status->name, status->value);
  if (lease_.target == Target::kPrimary && server_->in_hot_standby.value_or(false))
    host_.note_doubt();
  if (describes_node(status->name) || swallowing_) return {.forward = false};  // C7
  state_.note_seen(status->name, status->value);
  // Older servers report in the middle of a statement, whose own effect has to count first.
  reports_.push_back({std::string(status->name), std::string(status->value)});
  if (sent_.empty()) apply_reports();
  return {.forward = true};
}

void Session::apply_reports() {
  for (const ReportedParameter& report : reports_) {
    state_.variables.on_reported(report.name, report.value,
                                 server_->login_reported.value_or(report.name, ""),
                                 state_.text_rules().client_encoding);
  }
  reports_.clear();
}

Relayed Session::on_error(const Piece& piece, const Answer& answer) {
  const auto decoded =
      piece.kind == Piece::Kind::kWhole
          ? wire::ErrorFields::decode(piece.body())
          : Result<wire::ErrorFields>(wire::ErrorFields::decode_head(piece.body()));
  const wire::ErrorFields error = decoded.value_or(wire::ErrorFields{});
  if (must_prepare_anew(error)) server_->statements.poison_all();  // C11
  if ((answer.what.tag & kConfirmsServerParse) != 0) {
    if (const auto refused = server_->statements.oldest_parse())
      environment_.known->remove(*refused);
  }
  if (answer.completes && is_extended(answer.what.kind)) skip_with_server();
  doubt_primary(error.sqlstate());
  if (wants_repeat(error)) return {.forward = false, .discard = true};
  if (error.ends_connection()) return on_fatal(error);
  if (swallowing_) return {.forward = false};
  return on_error_for_client(piece, answer, error.sqlstate());
}

/// E6. In a transaction that the client wants to be read-only it is the client's own error.
void Session::doubt_primary(std::string_view sqlstate) {
  if (sqlstate != kReadOnlyTransaction || lease_.target != Target::kPrimary) return;
  if (!state_.default_read_only() && !transaction_.modes().read_only.value_or(false))
    host_.note_doubt();
}

/// An extended message has failed: the server skips all up to the next Sync, and what of it was
/// sent is answered as one (F22, F24).
void Session::skip_with_server() {
  const ResponseQueue& responses = server_->responses;
  if (responses.skipping()) {
    while (sent_.size() > 1) sent_.merge_front();
    segment_open_ = !sent_.empty();
  } else {
    for (const Expectation& skipped : responses.skipped()) {
      const bool ends = skipped.kind == Expect::kQuery || skipped.kind == Expect::kFunctionCall;
      if (ends && !skipped.hidden && sent_.size() > 1) sent_.merge_front();
    }
  }
  // What waits for an answer belongs to the last request that was sent (SentRequest::alone).
  if (sent_.size() <= 1) server_->statements.on_error_skip();
}

/// Whether the request is executed once more, now that this error has come (A60, C11).
bool Session::wants_repeat(const wire::ErrorFields& error) {
  const bool possible = repeat_.holds_back() && !repeated_ && !cancel_requested_ && !ended_ &&
                        !swallowing_ && sent_.size() == 1;
  if (!possible) return false;
  if (must_prepare_anew(error)) {
    want_repeat(std::nullopt);
    return true;
  }
  if (repeat_.scope() != ReadRepeat::Scope::kRead) return false;
  const RetryAdvice advice = advise_retry(error);
  // The read port refuses what a standby refuses; the primary must not make up for it.
  if (advice == RetryAdvice::kPrimary && state_.port == Port::kRead) return false;
  if (advice == RetryAdvice::kNone) return false;
  if (is_lasting_refusal(error)) note_refusal();
  want_repeat(advice == RetryAdvice::kPrimary ? Target::kPrimary : Target::kReplica);
  return true;
}

/// A replica will not do it: it may be a write, whatever labels say. As such it is remembered
/// (A44), and so it runs on the primary: owed to reads (D11), and of unknown outcome if that dies
/// (E21).
void Session::note_refusal() {
  if (plan_.executions.size() == 1) environment_.known->add_refused(plan_.executions[0].facts);
  plan_.decision.may_write = true;
}

void Session::want_repeat(std::optional<Target> target) {
  repeat_.want(target);
  held_confirmations_ = 0;  // They will be confirmed again, or not.
  row_passed_ = false;
  if (target == Target::kReplica) avoid_.push_back(lease_.node);
  swallowing_ = true;
}

/// The server leaves. What its clients are told is decided when it is gone (E20-E25), except that
/// its own time limits are the client's.
Relayed Session::on_fatal(const wire::ErrorFields& error) {
  fatal_ = wire::printable(error.message(), 300);
  if (swallowing_ || !ends_the_client(error.sqlstate())) return {.forward = false};
  client_was_told_ = true;
  return {.forward = true};
}

Relayed Session::on_error_for_client(const Piece& piece, const Answer& answer,
                                     std::string_view sqlstate) {
  give_up_repeat();
  state_.portals.clear();  // Which of them the server has now, a savepoint may decide.
  const uint32_t tag = answer.what.tag;
  if ((tag & kRepliesLater) != 0) {
    held_error_ = std::string(piece.bytes);
    return {.forward = false};
  }
  if (!sent_.empty()) {
    SentRequest& front = sent_.front();
    front.failed = true;
    if (front.isolated) skipping_ = true;
    if (answer.completes && is_extended(answer.what.kind) && front.changes_statements) {
      const bool refused = (tag & kConfirmsClientChange) != 0;
      refused ? state_.statements.on_refused() : state_.statements.on_skipped();
    }
    // A failed transaction refuses everything, and says so itself.
    if ((tag & kReplacesError) != 0 && sqlstate == kNoSuchStatement) injected_ = front.refusal;
  }
  if (!held_error_.empty() && !answer.what.hidden) injected_ = std::exchange(held_error_, {});
  return {.forward = injected_.empty(), .after = injected_};
}

/// Of a question of ours: nothing reaches the client, but what it listens to (F32).
Relayed Session::on_own_answer(const Piece& piece) {
  if (piece.type == backend::kParameterStatus) {
    if (const auto status = wire::ParameterStatus::decode(piece.body()))
      server_->on_parameter(status->name, status->value);
    return {.forward = false};
  }
  if (piece.type == backend::kNotificationResponse) return {.forward = !client_gone_};
  question_->take(piece);
  if (piece.type != backend::kReadyForQuery) return {.forward = false};
  const auto ready = wire::ReadyForQuery::decode(piece.body());
  server_->status = ready ? ready->status : wire::TxStatus::kIdle;
  const bool done = on_question_answered();
  if (client_gone_ && server_ != nullptr && !question_ && !done) on_client_gone();
  host_.wake();
  return {.forward = false, .done = done, .after = injected_};
}

}  // namespace fairlead::core
