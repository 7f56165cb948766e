// ClientSession: requests that Fairlead answers by itself, in both protocols: statements about
// fairlead.*, DEALLOCATE of names that only Fairlead knows, hints that make no sense, and a Sync
// with nothing before it.
#include "proxy/client_session.h"
#include "proxy/worker.h"
#include "wire/backend_encode.h"
#include "wire/frontend.h"
#include "wire/message_type.h"

namespace fairlead::proxy {

using core::PlannedMessage;
using core::RequestEnd;
using Treatment = PlannedMessage::Treatment;

/// False: it needs a server. In a failed transaction everything does, because only the server knows
/// what it still takes.
bool ClientSession::answer_locally() {
  if (session_.status == wire::TxStatus::kFailed || !sent_.empty() || segment_open_) return false;
  std::string out;
  const bool answered = plan_.end == RequestEnd::kQuery ? answer_query_locally(out)
                        : plan_.end == RequestEnd::kSync || plan_.end == RequestEnd::kFlush
                            ? answer_extended_locally(out)
                            : false;
  if (!answered) return false;
  if (plan_.end != RequestEnd::kFlush) wire::append_ready_for_query(out, session_.status);
  outbox_.send(out);
  return true;
}

void ClientSession::append_local_answer(const core::LocalAnswer& answer, bool with_description,
                                        std::string& out) {
  if (!answer.columns.empty()) {
    const std::vector<std::optional<std::string_view>> values(answer.values.begin(),
                                                              answer.values.end());
    if (with_description) wire::append_text_row_description(out, answer.columns);
    wire::append_text_data_row(out, values);
  }
  wire::append_command_complete(out, answer.tag);
}

bool ClientSession::answer_query_locally(std::string& out) {
  if (plan_.messages.size() != 1) return false;
  const PlannedMessage& planned = plan_.messages[0];
  if (planned.treatment == Treatment::kAnswer) {
    wire::append_command_complete(out, planned.answer);
    session_.statements.on_confirmed();
    return true;
  }
  if (planned.treatment == Treatment::kRefuse) {
    out = planned.answer;
    return true;
  }
  if (plan_.executions.size() != 1 || !core::is_local_statement(*plan_.executions[0].facts))
    return false;
  const auto answer = core::execute_local(*plan_.executions[0].facts, session_, last_route_);
  if (answer) {
    append_local_answer(*answer, true, out);
  } else {
    wire::append_error(out, wire::Severity::kError, answer.error());
  }
  return true;
}

/// The extended protocol's way of saying the same: only if every statement of the segment is ours.
bool ClientSession::answer_extended_locally(std::string& out) {
  size_t executes = 0;
  for (const PlannedMessage& planned : plan_.messages) {
    const bool names_ours = planned.facts != nullptr && core::is_local_statement(*planned.facts);
    const bool is_free = planned.treatment == Treatment::kCloseStatement ||
                         planned.message.type == wire::frontend::kSync ||
                         planned.message.type == wire::frontend::kFlush;
    const bool is_execute = planned.message.type == wire::frontend::kExecute;
    const bool describes_portal = planned.message.type == wire::frontend::kDescribe &&
                                  planned.treatment == Treatment::kForward;
    if (!names_ours && !is_free && !is_execute && !describes_portal) return false;
    executes += is_execute ? 1 : 0;
  }
  if (executes != plan_.executions.size()) return false;  // A portal of an earlier request.
  size_t executed = 0;
  const sql::QueryFacts* last = nullptr;
  for (const PlannedMessage& planned : plan_.messages) {
    if (planned.facts) last = planned.facts.get();
    const auto described = [&] {
      if (last == nullptr || !last->show) return wire::append_no_data(out);
      if (const auto answer = core::execute_local(*last, session_, last_route_))
        wire::append_text_row_description(out, answer->columns);
    };
    switch (planned.message.type) {
      case wire::frontend::kParse:
        wire::append_parse_complete(out);
        session_.statements.on_confirmed();
        break;
      case wire::frontend::kBind:
        wire::append_bind_complete(out);
        break;
      case wire::frontend::kClose:
        wire::append_close_complete(out);
        session_.statements.on_confirmed();
        break;
      case wire::frontend::kDescribe:
        if (planned.treatment == Treatment::kUse) wire::append_parameter_description(out, {});
        described();
        break;
      case wire::frontend::kExecute: {
        const auto answer =
            core::execute_local(*plan_.executions[executed++].facts, session_, last_route_);
        if (!answer) {
          wire::append_error(out, wire::Severity::kError, answer.error());
          session_.statements.on_skipped();
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

}  // namespace fairlead::proxy
