// Writes a planned request for one server: names translated, what the server lacks put in, what it
// has left out (C10, F22).
//
// Pure: it appends bytes and says what they make the server answer. A request can be written again
// for another server (A60), because neither the plan nor the client's bytes change.
#pragma once

#include <string>

#include "core/prepared_server.h"
#include "core/request_plan.h"
#include "core/response_queue.h"
#include "wire/backend.h"

namespace fairlead::core {

/// What the answer to a message is to be told to; bits of Expectation::tag.
enum AnswerTag : uint32_t {
  kConfirmsClientChange = 1,  // ClientStatements::on_confirmed().
  kConfirmsServerParse = 2,   // ServerStatements::on_parse_complete().
  kConfirmsServerClose = 4,   // ServerStatements::on_close_complete().
  kReplacesError = 8,         // Its error is RequestWriter::refusal(), not the server's.
  kRepliesLater =
      16,  // Ours, before EXECUTE: its error is the client's, in place of EXECUTE's own.
  kCompletesExecution = 32,  // Its command tags complete one of RequestPlan::executions.
  kEndsRequest = 64,         // Ours, and the client waits for ReadyForQuery after it.
};

/// Whether the bytes can go to any server just as they are.
bool is_verbatim(const RequestPlan& plan);

class RequestWriter {
 public:
  /// `outside`: no transaction is open on the server, and none will be when the request arrives.
  RequestWriter(ServerStatements& statements, ResponseQueue& responses, uint64_t parse_state,
                bool outside)
      : statements_(statements),
        responses_(responses),
        parse_state_(parse_state),
        outside_(outside) {}

  /// Appends to `out` what to send. Error: a name does not fit (kLimitExceeded).
  Result<void> write(std::string_view bytes, const RequestPlan& plan, std::string& out);

  /// Only says what the server will answer, for a request that is sent as it is (is_verbatim).
  void expect_verbatim(const RequestPlan& plan);

 private:
  Result<void> write_message(std::string_view bytes, const PlannedMessage& planned,
                             std::string& out);
  Result<void> write_parse(std::string_view bytes, const PlannedMessage& planned, std::string& out);
  Result<void> write_use(std::string_view bytes, const PlannedMessage& planned, std::string& out);
  Result<void> write_bind(std::string_view bytes, const PlannedMessage& planned,
                          std::string_view name, std::string& out);
  void write_sql_prepare(const PlannedMessage& planned, std::string& out);
  void write_sql_execute(std::string_view bytes, const PlannedMessage& planned, std::string& out);
  void write_refusal(const PlannedMessage& planned, std::string& out);
  void give(const PreparedStatement& statement, std::string& out);
  void execute_unseen(std::string_view sql, uint32_t tag, std::string& out);
  void write_follow_ups(std::string_view statements, std::string& out);
  void reply(const PlannedMessage& planned, std::string_view answer);
  void close_between_queries(const PreparedPlan& plan, std::string& out);
  void close_if_planned(const PreparedPlan& plan, std::string& out);
  void expect(const PlannedMessage& planned);

  ServerStatements& statements_;
  ResponseQueue& responses_;
  uint64_t parse_state_;
  bool outside_;
};

}  // namespace fairlead::core
