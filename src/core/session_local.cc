// Session: requests that Fairlead answers by itself, in both protocols: statements about
// fairlead.*, DEALLOCATE of names that only Fairlead knows, Parse of texts that are known to be
// good, hints that make no sense, and a Sync with nothing before it.
#include "core/session.h"
#include "wire/backend_encode.h"
#include "wire/frontend.h"
#include "wire/message_type.h"

namespace fairlead::core {
namespace {

namespace frontend = wire::frontend;
using Treatment = PlannedMessage::Treatment;

void append_local_answer(const LocalAnswer& answer, bool with_description, std::string& out) {
  if (!answer.columns.empty()) {
    const std::vector<std::optional<std::string_view>> values(answer.values.begin(),
                                                              answer.values.end());
    if (with_description) wire::append_text_row_description(out, answer.columns);
    wire::append_text_data_row(out, values);
  }
  wire::append_command_complete(out, answer.tag);
}

/// Whether every message of an extended request is about a statement of ours, or about names.
bool is_ours(const RequestPlan& plan) {
  size_t executes = 0;
  bool any_ours = false;
  for (const PlannedMessage& planned : plan.messages) {
    const char type = planned.message.type;
    const bool names_ours = planned.facts != nullptr && is_local_statement(*planned.facts);
    any_ours = any_ours || names_ours;
    const bool is_free = planned.treatment == Treatment::kCloseStatement ||
                         type == frontend::kSync || type == frontend::kFlush;
    const bool uses_portal =
        type == frontend::kExecute ||
        (type == frontend::kDescribe && planned.treatment == Treatment::kForward);
    executes += type == frontend::kExecute ? 1 : 0;
    if (!names_ours && !is_free && !(uses_portal && any_ours)) return false;
  }
  return executes == plan.executions.size();  // Else there is a portal of an earlier request.
}

}  // namespace

/// False: it needs a server. In a failed transaction everything does, because only the server knows
/// what it still takes.
bool Session::answer_locally() {
  if (state_.status == wire::TxStatus::kFailed || !sent_.empty() || segment_open_) return false;
  std::string out;
  const bool is_extended = plan_.end == RequestEnd::kSync || plan_.end == RequestEnd::kFlush;
  const bool answered = plan_.end == RequestEnd::kQuery ? answer_query_locally(out)
                        : is_extended && (is_ours(plan_) || prepares_known())
                            ? answer_extended_locally(out)
                            : false;
  if (!answered) return false;
  if (plan_.end != RequestEnd::kFlush) wire::append_ready_for_query(out, state_.status);
  host_.to_client(out);
  return true;
}

/// Nothing but Parse, of texts that a server has parsed for the same user under the same settings
/// (known_statements.h). Only outside a transaction, where PostgreSQL would take them.
bool Session::prepares_known() const {
  const auto parse_state = state_.variables.parse_state();
  if (server_ != nullptr || state_.status != wire::TxStatus::kIdle || plan_.session_bound ||
      !parse_state || plan_.end != RequestEnd::kSync)
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
  return execute_local(facts, state_, last_route_,
                       last_route_.node ? host_.node_name(*last_route_.node) : std::string_view{});
}

bool Session::answer_query_locally(std::string& out) {
  if (plan_.messages.size() != 1) return false;
  const PlannedMessage& planned = plan_.messages[0];
  if (planned.treatment == Treatment::kReply || planned.treatment == Treatment::kRefuse) {
    out = planned.answer;
    if (planned.changes_statements) state_.statements.on_confirmed();
    return true;
  }
  if (plan_.executions.size() != 1 || !is_local_statement(*plan_.executions[0].facts)) return false;
  if (const auto answer = execute_ours(*plan_.executions[0].facts)) {
    append_local_answer(*answer, true, out);
  } else {
    wire::append_error(out, wire::Severity::kError, answer.error());
  }
  return true;
}

/// What Describe says of a statement of ours.
void Session::describe_ours(const sql::QueryFacts* facts, std::string& out) {
  if (facts == nullptr || !facts->show) return wire::append_no_data(out);
  if (const auto answer = execute_ours(*facts))
    wire::append_text_row_description(out, answer->columns);
}

/// An error of ours stands in the answer: what follows up to the Sync is not executed (F22).
void Session::fail_ours() {
  state_.statements.on_skipped();
  skipping_ = plan_.end == RequestEnd::kFlush;
}

bool Session::answer_extended_locally(std::string& out) {
  size_t executed = 0;
  const sql::QueryFacts* last = nullptr;
  for (const PlannedMessage& planned : plan_.messages) {
    if (planned.facts) last = planned.facts.get();
    if (planned.treatment == Treatment::kRefuse) {
      out.append(planned.answer);
      fail_ours();
      return true;
    }
    switch (planned.message.type) {
      case frontend::kParse:
        wire::append_parse_complete(out);
        state_.statements.on_confirmed();
        break;
      case frontend::kBind:
        wire::append_bind_complete(out);
        break;
      case frontend::kClose:
        wire::append_close_complete(out);
        state_.statements.on_confirmed();
        break;
      case frontend::kDescribe:
        if (planned.treatment == Treatment::kUse) wire::append_parameter_description(out, {});
        describe_ours(last, out);
        break;
      case frontend::kExecute: {
        const auto answer = execute_ours(*plan_.executions[executed++].facts);
        if (!answer) {
          wire::append_error(out, wire::Severity::kError, answer.error());
          fail_ours();
          return true;
        }
        append_local_answer(*answer, false, out);
        break;
      }
      default:
        break;
    }
  }
  return true;
}

}  // namespace fairlead::core
