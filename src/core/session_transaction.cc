// Session: transactions that a server is told of only with their first statement, and those that
// leave a replica at their first write (B30-B36).
#include <algorithm>

#include "core/failover_table.h"
#include "core/session.h"
#include "wire/message_type.h"

namespace fairlead::core {

using TransactionKind = sql::TransactionCommand::Kind;

namespace {

bool begins_with_rollback(const sql::QueryFacts& facts) {
  if (facts.transaction.empty()) return false;
  const sql::TransactionCommand& first = facts.transaction[0];
  return first.kind == TransactionKind::kRollback && first.statement == 0 && !first.chain;
}

/// Of a message before the ROLLBACK: a transaction that has failed takes it.
bool prepares_rollback(const PlannedMessage& planned) {
  if (planned.facts != nullptr) return begins_with_rollback(*planned.facts);
  return planned.uses_own_portal || planned.message.type == wire::frontend::kClose;
}

/// Of a message behind it.
bool needs_server(const PlannedMessage& planned) {
  return planned.treatment != PlannedMessage::Treatment::kCloseStatement &&
         planned.message.type != wire::frontend::kSync;
}

}  // namespace

/// A command of a transaction that no server has to be told of now (B30). Only on the automatic
/// port: the others have nothing to decide later. Not by a named statement: who prepares BEGIN
/// prepares what is behind it, too, perhaps on a thread that serves other clients, which hold the
/// servers that it would have to wait for (pgbench -M prepared).
bool Session::takes(const sql::QueryFacts& facts) const {
  const bool is_whole = plan_.end == RequestEnd::kQuery || plan_.end == RequestEnd::kSync;
  if (!is_whole || plan_.keeps_portal) return false;
  if (plan_.uses_named && !transaction_.is_failed()) return false;
  const bool may_begin = state_.port == Port::kAutomatic && server_ == nullptr &&
                         state_.status == wire::TxStatus::kIdle && plan_.executions.size() <= 1;
  return transaction_.tag_of(facts, may_begin).has_value();
}

LocalAnswer Session::take_command(const sql::QueryFacts& facts) {
  LocalAnswer answer{
      .columns = {}, .rows = {}, .tag = std::string(*transaction_.tag_of(facts, true))};
  const bool commits = !facts.transaction.empty() && !transaction_.is_failed() &&
                       facts.transaction[0].kind == TransactionKind::kCommit;
  transaction_.take(facts, plan_.hints);
  if (transaction_.is_deferred()) {
    state_.status = wire::TxStatus::kInTransaction;
  } else {
    state_.status = wire::TxStatus::kIdle;
    commits ? state_.variables.on_commit() : state_.variables.on_rollback();
  }
  return answer;
}

/// It failed before a server knew of it, and so its end is waited for here, as PostgreSQL does
/// (B13, B36).
void Session::answer_in_failed_transaction() {
  if (answer_locally()) {
    stage_ = Stage::kDone;
    return;
  }
  refuse({ErrorCode::kInFailedTransaction,
          "current transaction is aborted, commands ignored until end of transaction block"});
}

/// A text or a segment that begins with ROLLBACK and goes on, as pools send to clean up, and
/// drivers to save a round trip.
bool Session::goes_on_behind_rollback() const {
  if (plan_.end != RequestEnd::kQuery && plan_.end != RequestEnd::kSync) return false;
  if (plan_.executions.empty() || !begins_with_rollback(*plan_.executions[0].facts)) return false;
  const auto rollback = std::ranges::find_if(plan_.messages, &PlannedMessage::has_execution);
  if (!std::ranges::all_of(plan_.messages.begin(), rollback, prepares_rollback)) return false;
  return plan_.executions[0].facts->statements > 1 ||
         std::ranges::any_of(rollback + 1, plan_.messages.end(), needs_server);
}

/// Its end is the first thing that the client asks for. A server can be sent all of the request,
/// because it knows of no transaction; and what stands behind the ROLLBACK is planned anew.
void Session::leave_failed_transaction(std::string_view request) {
  lost_transaction_ = false;
  state_.statements.on_skipped();
  state_.variables.on_rollback();
  transaction_.on_end();
  state_.status = wire::TxStatus::kIdle;
  plan_messages(request);
}

/// Its server died between two statements of it: the client is told at the first one behind that,
/// unless that one is its ROLLBACK. COMMIT ends it, as any other error of COMMIT does.
void Session::answer_in_lost_transaction() {
  if (plan_.end == RequestEnd::kSync &&
      plan_.messages.size() == 1) {  // It has no place for errors.
    transaction_.fail();
    state_.status = wire::TxStatus::kFailed;
    return answer_in_failed_transaction();
  }
  lost_transaction_ = false;
  const auto* command =
      plan_.executions.size() == 1 ? only_command(*plan_.executions[0].facts) : nullptr;
  const bool ends = ends_transaction(plan_);
  const bool rolls_back = ends && command->kind == TransactionKind::kRollback;
  if (!ends || rolls_back) {
    transaction_.fail();
    state_.status = wire::TxStatus::kFailed;
  } else {
    transaction_.on_end();
  }
  if (rolls_back && answer_locally()) {
    stage_ = Stage::kDone;
    return;
  }
  refuse(loss_error(LostWork::kResting, "it was lost between two statements"));
}

/// The request is the first one of the transaction that a server will know of. `asked` by the
/// client.
void Session::open_transaction(std::optional<sql::TransactionReads> asked,
                               RouteInput& input) const {
  input.opens = &transaction_.modes();
  const bool wanted =
      asked ? *asked == sql::TransactionReads::kUntilWrite : environment_.reads_until_write;
  input.reads_until_write = wanted && transaction_.may_use_replica() && is_movable_read(plan_) &&
                            known_isolation().value_or(true);
}

/// Whether the transaction is READ COMMITTED (B33); nullopt: its server's own default counts, which
/// may be the role's or the database's.
std::optional<bool> Session::known_isolation() const {
  if (transaction_.modes().isolation) return is_read_committed(*transaction_.modes().isolation);
  const Setting* isolation = state_.variables.find("default_transaction_isolation");
  if (isolation == nullptr) return std::nullopt;
  return is_read_committed(isolation->text());
}

/// The transaction has only read on a replica so far, and this request belongs to it.
bool Session::goes_on_on_replica() const {
  return server_ != nullptr && transaction_.can_upgrade() &&
         state_.status == wire::TxStatus::kInTransaction && !ends_transaction(plan_);
}

/// This request does more than read (B31), or must see what that replica does not show (B34).
bool Session::must_upgrade() const {
  return goes_on_on_replica() && (replica_is_behind_ || !is_movable_read(plan_));
}

/// The replica may be about to have replayed what the read must see. To wait for it is better than
/// the primary, which may not show yet what the replica has shown already (D8).
bool Session::waits_for_replica() {
  if (plan_.local || !goes_on_on_replica() || !is_movable_read(plan_)) return false;
  sql::Hints hints = plan_.hints;
  if (transaction_.hints() != nullptr) hints.inherit(*transaction_.hints());
  Route route = route_;
  route.read = read_wish(hints);
  const StillShows shows = host_.still_shows(route, plan_);
  replica_is_behind_ = shows == StillShows::kTooLittle;
  return shows == StillShows::kNotYet;
}

/// Ends the transaction on this server, which the client does not see (B35).
void Session::leave_server() { ask(OwnQuestion::Kind::kLeave, "ROLLBACK"); }

bool Session::on_left_server() {
  if (!transaction_.is_failed()) transaction_.defer_again(!repeat_.wanted());
  return cancels_running_ == 0;  // F41
}

/// Tells the server of the transaction, and waits for its word: what comes next must not be
/// executed outside of it.
Pause Session::begin_transaction() {
  if (cancel_requested_) {
    cancel_requested_ = false;
    refuse({ErrorCode::kQueryCanceled, "canceling statement due to user request"});
    release_if_done();
    return Pause::kInput;
  }
  const bool asks_isolation =
      transaction_.is_until_write() && lease_.target == Target::kReplica && !known_isolation();
  ask(OwnQuestion::Kind::kBegin, transaction_.sql(asks_isolation));
  return Pause::kTurn;
}

bool Session::on_begun(const OwnQuestion& question) {
  const auto isolation = question.row().empty() ? std::nullopt : question.row().front();
  if (isolation && !is_read_committed(*isolation)) {  // B33
    route_ = {.target = Target::kPrimary, .reason = sql::Reason::kTransaction};
    leave_server();
    return false;
  }
  transaction_.on_begun(lease_.target == Target::kReplica);
  return false;
}

/// The server is gone. True: the transaction begins anew on another one, of which the client sees
/// nothing: it has done nothing yet, or has only read and can leave a replica at any time.
bool Session::moves_transaction() {
  if (transaction_.stage() == ClientTransaction::Stage::kBegun) {
    transaction_.defer_again(false);
    return true;
  }
  if (!transaction_.can_upgrade() || !sent_.empty()) return false;
  if (state_.status == wire::TxStatus::kFailed) {
    transaction_.fail();
  } else {
    transaction_.defer_again(true);
  }
  return true;
}

}  // namespace fairlead::core
