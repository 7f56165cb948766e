// Session: the end of a request and the end of a lease, and our own questions to the server between
// them, which the client never sees (F32).
#include "core/session.h"
#include "wire/backend_encode.h"
#include "wire/frontend_encode.h"

namespace fairlead::core {
namespace {

using QuestionKind = OwnQuestion::Kind;

}  // namespace

Relayed Session::on_ready(const wire::Piece& piece, const Answer& answer) {
  const auto ready = wire::ReadyForQuery::decode(piece.body());
  const wire::TxStatus status = ready ? ready->status : wire::TxStatus::kIdle;
  server_->status = status;
  if (swallowing_) {
    if (!server_->responses.empty()) return {.forward = false};
    server_->statements.on_error_skip();  // What was to be prepared for the request and was not.
    if (status != wire::TxStatus::kIdle) {
      leave_server();  // The transaction of which it was the first statement.
      return {.forward = false};
    }
    if (state_.pins.reasons().empty()) return {.forward = false, .done = true};
    swallowing_ = false;  // The client keeps its server: it is executed again there (C22).
    host_.wake();
    return {.forward = false};
  }
  const bool isolated = !sent_.empty() && sent_.front().isolated;
  if (!answer.forward && !isolated) return on_hidden_ready(answer);
  if ((answer.what.tag & kConfirmsClientChange) != 0 && !sent_.empty()) {  // SQL PREPARE.
    if (sent_.front().failed) {
      state_.statements.on_refused();
      server_->statements.on_error_skip();
    } else {
      confirm(answer.what);
    }
  }
  finish_front(status);
  give_up_repeat();
  host_.wake();
  if (waits_for_follow_up(status)) return {.forward = false};
  append_parameter_changes(injected_);
  take_locals(injected_after_);  // Of the request behind it.
  return {.forward = answer.forward,
          .done = sent_.empty() && at_boundary(),
          .before = injected_,
          .after = injected_after_};
}

/// True: the client's ReadyForQuery waits until the server has taken back a RESET of its own (C24).
bool Session::waits_for_follow_up(wire::TxStatus status) {
  if (!sent_.empty() || segment_open_ || half_sent_ || status == wire::TxStatus::kFailed)
    return false;
  if (!state_.variables.needs_follow_up()) return false;
  held_ready_ = status;
  if (cancels_running_ == 0) ask_follow_up();  // Else when they are through (F41).
  return true;
}

void Session::ask_follow_up() { ask(QuestionKind::kFollowUp, state_.variables.take_follow_up()); }

/// Of something that was put in before the client's own: PREPARE, DEALLOCATE.
Relayed Session::on_hidden_ready(const Answer& answer) {
  const bool refused = (answer.what.tag & kRepliesLater) != 0 && !held_error_.empty();
  refused ? server_->statements.on_error_skip() : confirm(answer.what);
  take_locals(injected_after_);
  return {.forward = false, .after = injected_after_};
}

void Session::apply_completed(SentRequest& sent) {
  for (size_t i = 0; i < sent.completed; ++i)
    apply_execution(sent.executions[i], sent.executions[i].facts->statements, state_);
  sent.forget_completed();
}

/// DISCARD ALL has been carried out. It is committed at once, so that no error behind it in its
/// segment takes it back (C24).
void Session::on_discarded(SentRequest& front) {
  apply_completed(front);
  apply_reports();
  state_.variables.on_commit();
  const bool is_last = !segment_open_ && server_->responses.size() <= 1;  // Its Sync is owed.
  is_last ? state_.pins.on_discard_all() : state_.pins.on_discard_all_amid();
}

/// The front request is answered: what it did counts now (B8: not before ReadyForQuery).
void Session::finish_front(wire::TxStatus status) {
  if (sent_.empty()) return;
  SentRequest& front = sent_.front();
  if (front.prepares_unseen) {
    server_->statements.poison_all();
    state_.pins.may_create({PinReason::kSqlPrepare});
  }
  apply_completed(front);
  if (front.completed_parts > 0)
    apply_execution(front.executions[front.completed], front.completed_parts, state_);
  apply_reports();
  apply_ready(status, front.failed, state_);
  if (status == wire::TxStatus::kIdle) {
    transaction_.on_end();
    if (sent_.size() == 1) state_.portals.clear();  // Else some may be of what comes next.
  }
  answered_at_ = host_.now();
  state_.answered.note(lease_.node, server_->opened_at, answered_at_);
  transaction_may_write_ |= front.may_write;
  const bool is_undone = front.failed && status == wire::TxStatus::kIdle && !front.commits;
  const CatalogChange change =
      is_undone ? std::min(front.catalog_change, CatalogChange::kSeen) : front.catalog_change;
  transaction_catalog_change_ = std::max(transaction_catalog_change_, change);
  transaction_wrote_.add(front.written);
  cancel_requested_ = false;  // It was for this request (F41).
  // A commit counts also where a transaction goes on behind it (B10, B12).
  const bool may_have_committed = status == wire::TxStatus::kIdle || front.commits;
  if (may_have_committed && transaction_may_write_ && lease_.target == Target::kPrimary) {
    state_.wrote_at = host_.note_write(transaction_wrote_);
    state_.wrote_epoch = server_->epoch;
  }
  if (may_have_committed && transaction_catalog_change_ != CatalogChange::kNone)  // A42
    host_.note_catalog_change(std::exchange(transaction_catalog_change_, CatalogChange::kNone));
  if (status == wire::TxStatus::kIdle) {
    transaction_may_write_ = false;
    transaction_wrote_.clear();
  }
  sent_.pop();
  if (sent_.empty()) repeat_.forget();
}

/// Nothing is owed by the server. True: its lease ends; false: it is kept, or a question of ours
/// has to be answered first. A cancel that is still on its way would hit that question, or somebody
/// else's statement: on_cancel_done() comes back here (F41).
bool Session::at_boundary() {
  if (server_->status != wire::TxStatus::kIdle || segment_open_ || half_sent_ || question_ ||
      held_ready_ || cancels_running_ > 0 || !server_->responses.empty())
    return false;
  if (state_.variables.lost()) {
    fatal({ErrorCode::kLimitExceeded, "too many settings in this session"});
    return false;
  }
  server_->statements.on_boundary();
  if (state_.variables.needs_read_back()) {
    ask(QuestionKind::kReadBack, state_.variables.read_back_query());
    return false;
  }
  server_->variables = state_.variables.take_on_server();
  switch (state_.pins.at_boundary()) {
    case ReleaseAction::kKeep:
      if (foreign_sequences_.before_pin() != ForeignSequences::Remedy::kNone)
        ask(QuestionKind::kDiscardSequences, kDiscardSequences);
      return false;
    case ReleaseAction::kCheck:
      ask(QuestionKind::kPinCheck, check_query(state_.pins.suspects()));
      return false;
    case ReleaseAction::kReset:
      ask(QuestionKind::kReset, kResetSettings);
      return false;
    case ReleaseAction::kReuse:
      break;
  }
  return true;
}

void Session::release_if_done() {
  if (server_ != nullptr && sent_.empty() && at_boundary()) on_server_done();
}

void Session::on_server_done() {
  server_ = nullptr;
  swallowing_ = false;
  host_.release_server();
  host_.wake();
  if (end_when_idle_) end(true);
}

/// C7: what the client believes is made true before it goes on.
void Session::append_parameter_changes(std::string& out) {
  if (state_.saw_the_same(server_->reported)) return;
  for (const ReportedParameter* changed : differences(state_.seen(), server_->reported)) {
    wire::append_parameter_status(out, changed->name, changed->value);
    state_.note_seen(changed->name, changed->value);
  }
}

void Session::ask(QuestionKind kind, std::string_view sql) {
  question_.emplace(kind);
  std::string query;
  wire::append_query(query, sql);
  server_->statements.drop_unnamed();
  server_->responses.expect({.kind = Expect::kQuery, .hidden = true});
  host_.to_server(query);
}

/// True: the lease ends.
bool Session::on_question_answered() {
  const OwnQuestion question = *std::exchange(question_, std::nullopt);
  if (question.failed()) return on_question_failed(question);
  switch (question.kind()) {
    case QuestionKind::kReplay:
      server_->variables = state_.variables.committed();
      state_.variables.on_server_certain();
      return false;
    case QuestionKind::kFollowUp: {
      append_parameter_changes(injected_);
      wire::append_ready_for_query(injected_, *held_ready_);
      held_ready_.reset();
      return at_boundary();
    }
    case QuestionKind::kReadBack: {
      const std::vector<std::optional<std::string_view>> values(question.row().begin(),
                                                                question.row().end());
      state_.variables.on_read_back(values, server_->reported.value_or("client_encoding", "UTF8"));
      return at_boundary();
    }
    case QuestionKind::kPinCheck: {
      std::vector<std::string_view> columns;
      for (const auto& value : question.row())
        columns.push_back(value ? std::string_view(*value) : std::string_view{});
      const auto check = parse_check_row(columns);
      if (!check) {
        fatal(check.error());
        return false;
      }
      state_.pins.on_check(check->found);
      server_->statements.on_counted(check->statements.value_or(server_->statements.size()));
      if (is_on_replica() && !check->found.empty()) {  // Of a function; C22.
        ask(QuestionKind::kDiscardAll, kDiscardAll);
        return false;
      }
      return at_boundary();
    }
    case QuestionKind::kReset:
      state_.pins.on_server_left();
      server_->variables = {};
      server_->sequences_used = false;
      return cancels_running_ == 0;
    case QuestionKind::kBegin:
      return on_begun(question);
    case QuestionKind::kLeave:
      return on_left_server();
    case QuestionKind::kRollback:
      state_.variables.on_rollback();
      server_->variables = state_.variables.take_on_server();
      return on_left_clean();
    case QuestionKind::kDiscardAll:
      state_.pins.on_server_left();
      server_->statements.forget_all();
      server_->variables = {};
      server_->sequences_used = false;
      return true;
    case QuestionKind::kSequenceLocks:
      foreign_sequences_.on_answer(!question.row().empty() && question.row().front() == "t");
      return false;
    case QuestionKind::kDiscardSequences:
      foreign_sequences_.on_discarded();
      server_->sequences_used = false;
      return false;
  }
  return false;
}

/// The client has left and no transaction is open. True: the server can be given back as it is.
bool Session::on_left_clean() {
  const PinState& pins = state_.pins;
  if (pins.reasons().has(PinReason::kLibrary)) {  // It stays loaded.
    close_server();
    return false;
  }
  if (pins.reasons().empty() && pins.suspects().empty() && !pins.dirty()) return true;
  ask(QuestionKind::kDiscardAll, kDiscardAll);
  return false;
}

/// A question that must not fail has failed: the server is closed, because nobody knows what it
/// has. Only settings may fail, because a role may have been dropped meanwhile, and BEGIN, for a
/// time limit.
bool Session::on_question_failed(const OwnQuestion& question) {
  if (client_gone_) {  // Nobody is there to be told.
    close_server();
    return false;
  }
  // A replay is one transaction: the server has what it had before.
  if (question.kind() == QuestionKind::kReplay) {
    const bool took_back = server_->variables.size() > 0;
    refuse({ErrorCode::kInvalidParameterValue, question.error()->message,
            "while the session's settings were given to a server"});
    if (!took_back) return true;
    close_server();  // What it could not take back would fail the next client, too.
    return false;
  }
  const bool is_idle = server_->status == wire::TxStatus::kIdle;
  if (question.kind() == QuestionKind::kBegin && is_idle) {
    refuse(*question.error());
    return true;
  }
  if (question.kind() == QuestionKind::kDiscardSequences && is_idle && stage_ == Stage::kSettings) {
    refuse(*question.error());
    return at_boundary();
  }
  const bool is_amid =  // What the client's transaction did is undone.
      question.kind() == QuestionKind::kSequenceLocks ||
      question.kind() == QuestionKind::kDiscardSequences;
  const bool takes_state =
      !state_.pins.reasons().empty() || holds_state() || held_ready_ || is_amid;
  host_.note_trouble(lease_.node, describe(*question.error()));
  close_server();
  state_.pins.on_server_left();
  if (takes_state)
    fatal({ErrorCode::kAdminShutdown, "the server that held this session's state had to be closed",
           question.error()->message});
  return false;
}

}  // namespace fairlead::core
