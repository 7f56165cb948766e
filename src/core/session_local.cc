// Session: requests that Fairlead answers by itself, in both protocols: statements about
// fairlead.*, DEALLOCATE of names that only Fairlead knows, Parse of texts that are known to be
// good, hints that make no sense, and a Sync with nothing before it.
#include "core/replica_refusal.h"
#include "core/session.h"
#include "wire/backend_encode.h"
#include "wire/frontend.h"
#include "wire/message_type.h"

namespace fairlead::core {
namespace {

namespace frontend = wire::frontend;
using Treatment = PlannedMessage::Treatment;

void append_local_answer(const LocalAnswer& answer, bool with_description, std::string& out) {
  if (with_description && !answer.columns.empty())
    wire::append_text_row_description(out, answer.columns);
  for (const auto& row : answer.rows) {
    const std::vector<std::optional<std::string_view>> values(row.begin(), row.end());
    wire::append_text_data_row(out, values);
  }
  wire::append_command_complete(out, answer.tag);
}

}  // namespace

/// A statement that needs no server.
bool Session::is_mine(const sql::QueryFacts& facts) const {
  return takes(facts) || (!transaction_.is_failed() && is_local_statement(facts));
}

/// Whether every message of an extended request is about a statement of ours, or about names. A
/// portal that it uses was bound in it, so to a statement of ours.
bool Session::is_all_mine() const {
  size_t executes = 0;
  for (const PlannedMessage& planned : plan_.messages) {
    const char type = planned.message.type;
    const bool names_mine = planned.facts != nullptr && is_mine(*planned.facts);
    const bool is_free = planned.treatment == Treatment::kCloseStatement ||
                         type == frontend::kSync || type == frontend::kFlush;
    executes += type == frontend::kExecute ? 1 : 0;
    if (!names_mine && !is_free && !planned.uses_own_portal) return false;
  }
  return executes == plan_.executions.size();
}

/// False: it needs a server. In a failed transaction everything does, because only the server knows
/// what it still takes.
bool Session::answer_locally() {
  const bool is_servers = state_.status == wire::TxStatus::kFailed && !transaction_.is_failed();
  if (is_servers || !sent_.empty() || segment_open_) return false;
  std::string out;
  const bool is_extended = plan_.end == RequestEnd::kSync || plan_.end == RequestEnd::kFlush;
  const bool answered = plan_.end == RequestEnd::kQuery ? answer_query_locally(out)
                        : is_extended && (is_all_mine() || prepares_known())
                            ? answer_extended_locally(out)
                            : false;
  if (!answered) return false;
  if (plan_.end != RequestEnd::kFlush) wire::append_ready_for_query(out, state_.status);
  host_.to_client(out);
  return true;
}

/// Nothing but Parse, of texts that a server has parsed for the same user under the same settings
/// (known_statements.h). Not in a transaction that a server knows of: it may be one that has
/// failed.
bool Session::prepares_known() const {
  const auto parse_state = state_.variables.parse_state();
  const bool is_free = state_.status == wire::TxStatus::kIdle || transaction_.is_deferred();
  if (server_ != nullptr || !is_free || plan_.session_bound || !parse_state ||
      plan_.end != RequestEnd::kSync)
    return false;
  for (const PlannedMessage& planned : plan_.messages) {
    if (planned.message.type == frontend::kSync) continue;
    if (planned.treatment != Treatment::kParse ||
        !environment_.known->has(*planned.statement, *parse_state))
      return false;
  }
  return plan_.messages.size() > 1;
}

Result<LocalAnswer> Session::execute_ours(const sql::QueryFacts& facts) {
  if (takes(facts)) return take_command(facts);
  const std::string_view node =
      last_route_.node ? host_.node_name(*last_route_.node) : std::string_view{};
  const std::string_view name = report_name(facts);
  const auto shown = shown_.find(name);
  return execute_local(facts, state_,
                       {.last_route = last_route_,
                        .node_name = node,
                        .token = token_,
                        .report_columns = name.empty() ? std::span<const wire::ResultColumn>{}
                                                       : host_.report_columns(name),
                        .report = shown == shown_.end() ? nullptr : shown->second.get()});
}

bool Session::answer_query_locally(std::string& out) {
  if (plan_.messages.size() != 1) return false;
  PlannedMessage& planned = plan_.messages[0];
  const bool in_transaction = state_.status != wire::TxStatus::kIdle;
  if (planned.treatment == Treatment::kReply) {
    out = planned.answer;
    if (planned.changes_statements) state_.statements.on_confirmed();
    return true;
  }
  if (planned.treatment == Treatment::kForward && plan_.executions.size() == 1 &&
      is_mine(*plan_.executions[0].facts)) {
    const auto answer = execute_ours(*plan_.executions[0].facts);
    if (answer) {
      append_local_answer(*answer, true, out);
      return true;
    }
    planned.treatment = Treatment::kRefuse;
    wire::append_error(planned.answer, wire::Severity::kError, answer.error());
  }
  // An error fails a transaction, which is the server's.
  if (planned.treatment != Treatment::kRefuse || in_transaction) return false;
  out = planned.answer;
  return true;
}

/// What Describe says of a statement of ours.
void Session::describe_ours(const sql::QueryFacts* facts, std::string& out) {
  if (facts == nullptr || !facts->show) return wire::append_no_data(out);
  if (const auto answer = execute_ours(*facts))
    wire::append_text_row_description(out, answer->columns);
}

bool Session::answer_extended_locally(std::string& out) {
  size_t executed = 0;
  size_t confirmed = 0;
  const sql::QueryFacts* last = nullptr;
  for (size_t i = 0; i < plan_.messages.size(); ++i) {
    PlannedMessage& planned = plan_.messages[i];
    if (planned.facts) last = planned.facts.get();
    if (planned.treatment == Treatment::kRefuse) return fail_locally(i, confirmed, out);
    switch (planned.message.type) {
      case frontend::kParse:
        wire::append_parse_complete(out);
        ++confirmed;
        break;
      case frontend::kBind:
        wire::append_bind_complete(out);
        break;
      case frontend::kClose:
        wire::append_close_complete(out);
        ++confirmed;
        break;
      case frontend::kDescribe:
        if (planned.treatment == Treatment::kUse) wire::append_parameter_description(out, {});
        describe_ours(last, out);
        break;
      case frontend::kExecute: {
        const auto answer = execute_ours(*plan_.executions[executed++].facts);
        if (!answer) {
          planned.treatment = Treatment::kRefuse;
          wire::append_error(planned.answer, wire::Severity::kError, answer.error());
          return fail_locally(i, confirmed, out);
        }
        append_local_answer(*answer, false, out);
        break;
      }
      default:
        break;
    }
  }
  for (; confirmed > 0; --confirmed) state_.statements.on_confirmed();
  return true;
}

/// On a server where the client asked for no replica.
bool Session::is_on_replica() const {
  return server_ != nullptr && lease_.target == Target::kReplica && state_.port == Port::kAutomatic;
}

/// In a read-only transaction, which is on a replica because nothing before needed the primary.
void Session::refuse_on_replica() {
  std::optional<Error> refusal;
  const auto index = plan_.find_execution([&](const sql::QueryFacts& facts) {
    refusal = replica_refusal(facts);
    return refusal.has_value();
  });
  if (!index) return;
  plan_.pins.remove(sql::PinEvent::kLoad);  // Nothing will be loaded; the others are looked at.
  refuse_message(*index, *refusal);
}

/// The server is told, because its transaction fails with it.
void Session::refuse_message(size_t index, const Error& error) {
  PlannedMessage& planned = plan_.messages[index];
  planned.treatment = Treatment::kRefuse;
  wire::append_error(planned.answer, wire::Severity::kError, error);
  drop_behind(index);
}

/// What stands behind a message that fails is not executed (F22).
void Session::drop_behind(size_t index) {
  const PlannedMessage sync = plan_.messages.back();
  plan_.messages.resize(index + 1);
  if (plan_.end == RequestEnd::kSync) plan_.messages.push_back(sync);
}

/// Message `index` fails, and what follows up to the Sync is not executed (F22). False: the server
/// has to be told, because its transaction fails with it.
bool Session::fail_locally(size_t index, size_t confirmed, std::string& out) {
  if (state_.status != wire::TxStatus::kIdle) {
    drop_behind(index);
    return false;
  }
  out.append(plan_.messages[index].answer);
  for (; confirmed > 0; --confirmed) state_.statements.on_confirmed();
  state_.statements.on_skipped();
  skipping_ = plan_.end == RequestEnd::kFlush;
  return true;
}

}  // namespace fairlead::core
