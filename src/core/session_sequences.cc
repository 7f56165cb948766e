// Session: currval() and lastval(), which must not tell the number of another client that had the
// server before (C18).
#include "core/session.h"

namespace fairlead::core {
namespace {

using QuestionKind = OwnQuestion::Kind;
using Remedy = ForeignSequences::Remedy;

/// Its text asks, or what it calls.
bool asks(const RequestPlan& plan) { return plan.pins.has(sql::PinEvent::kSequenceRead); }

}  // namespace

/// The message that asks for a number where there is none but of an earlier transaction, or of
/// nobody: outside of a transaction that has written, and without a server of the client's own.
std::optional<size_t> Session::find_earlier_sequence() {
  bool wrote = !state_.pins.reasons().empty();
  if (state_.status != wire::TxStatus::kIdle) {
    wrote |= transaction_may_write_;
    sent_.for_each([&](const SentRequest& sent) { wrote |= sent.may_write; });
  }
  return plan_.find_execution([&wrote](const sql::QueryFacts& facts) {
    const bool is_earlier = facts.reads_earlier_sequence && !wrote;
    wrote |= facts.may_write;
    return is_earlier;
  });
}

void Session::refuse_earlier_sequence() {
  const auto index = find_earlier_sequence();
  if (!index) return;
  plan_.pins.remove(sql::PinEvent::kSequenceRead);  // It will not be executed.
  refuse_message(
      *index,
      {ErrorCode::kNotInPrerequisiteState,
       "currval() and lastval() have no answer outside of the transaction that called nextval()",
       "With pool_mode \"transaction\" the next transaction may be on another server, whose last "
       "value is another client's.",
       "Use INSERT ... RETURNING, or both statements in one transaction, or pool_mode \"session\" "
       "for this database."});
}

/// Whether the server has to be relieved of the numbers of others before it is told of a
/// transaction. Most never ask, and it costs them nothing.
bool Session::must_forget_sequences() const {
  if (foreign_sequences_.before_transaction() == Remedy::kNone) return false;
  // Of DO, or a text that is too large to be held, nobody knows what it asks for.
  if (asks(plan_) || plan_.opaque) return true;
  const bool goes_on = transaction_.is_deferred() || plan_.begins || plan_.ends_inside ||
                       plan_.end == RequestEnd::kFlush || plan_.end == RequestEnd::kOversize;
  const bool is_expected =
      (environment_.known != nullptr && environment_.known->expects_sequence_reads()) ||
      (environment_.catalog != nullptr && environment_.catalog->may_ask_for_sequences());
  return (goes_on && is_expected) || state_.pins.reasons().has(PinReason::kSessionPooling);
}

/// The question has come amid a transaction that was not expected to ask. True: the server has to
/// be asked something first, and then the request is planned anew.
bool Session::ask_for_sequences() {
  if (plan_.names_sequence_read && environment_.known != nullptr)
    environment_.known->expect_sequence_reads();
  const bool at_start = state_.status == wire::TxStatus::kIdle || transaction_.is_deferred();
  const bool can_ask = sent_.empty() && !segment_open_;
  if (!asks(plan_) || server_ == nullptr || state_.status == wire::TxStatus::kFailed ||
      (at_start && can_ask) || find_earlier_sequence())
    return false;
  switch (foreign_sequences_.amid_transaction(can_ask)) {
    case Remedy::kNone:
      return false;
    case Remedy::kDiscard:
      ask(QuestionKind::kDiscardSequences, kDiscardSequences);
      break;
    case Remedy::kAsk:
      ask(QuestionKind::kSequenceLocks, kAskForSequenceLocks);
      break;
    case Remedy::kRefuse:
      refuse_unknown_sequence();
      return false;
  }
  state_.statements.on_skipped();
  stage_ = Stage::kTurn;
  return true;
}

/// Amid a pipeline nothing can be asked. From now on transactions are ready for it.
void Session::refuse_unknown_sequence() {
  const auto index = plan_.find_execution(
      [](const sql::QueryFacts& facts) { return facts.pins.has(sql::PinEvent::kSequenceRead); });
  if (!index) return;
  refuse_message(*index,
                 {ErrorCode::kNotInPrerequisiteState,
                  "it is not known whether this transaction has called nextval()",
                  "The number that currval() or lastval() would tell may be another client's, and "
                  "amid a pipeline the server cannot be asked.",
                  "Run the transaction again: the next ones are prepared for the question."});
}

}  // namespace fairlead::core
