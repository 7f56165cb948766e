// One client: its connection, its session state, and its way to servers and back.
//
// A coroutine reads the client (client_session.cc) and brings its requests to a server
// (client_requests.cc); the server's own coroutine brings the answers (client_responses.cc), so
// both directions run at once. Our own questions to a leased server are in client_questions.cc,
// cancellation and leaving in client_end.cc. What is decided stands in src/core; this class carries
// it out. Worker's thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/cancel_key.h"
#include "core/local_statement.h"
#include "core/request_effects.h"
#include "core/request_planner.h"
#include "core/request_writer.h"
#include "net/outbox.h"
#include "proxy/client_login.h"
#include "proxy/own_question.h"
#include "proxy/tenant.h"

namespace fairlead::proxy {

class Worker;

class ClientSession final : public LeaseHolder {
 public:
  ClientSession(Worker& worker, net::Stream& stream, ClientIdentity identity, Tenant& tenant,
                core::CancelKey key, core::Port port);
  ~ClientSession();

  /// Serves the client until it leaves. When it returns, nothing refers to the session any more.
  net::Task<void> serve();

  /// A CancelRequest that may be for this session (F40-F44).
  void cancel(const core::CancelClaim& claim);
  /// Ends the session with 57P01: at once if it is idle or `now`, else when its transaction is
  /// over.
  void end(bool now);
  /// A few times a second: limits of time, and whether a waiting client is still there.
  void tick(Time now);
  /// The node is down: what can be run elsewhere is given up there (A60).
  void on_node_down(core::NodeIndex node);

  Tenant& tenant() { return tenant_; }
  bool in_transaction() const {
    return session_.status != wire::TxStatus::kIdle || server_ != nullptr;
  }

 private:
  /// How far the next request has come on its way to a server. Every stage can make it wait.
  enum class Stage : uint8_t { kTurn, kPlan, kServer, kPrepare, kSend };
  enum class Progress : uint8_t { kDone, kWaitTurn, kWaitServer, kWaitPrepare, kWaitDrain, kEnd };

  /// A request on its way through a server, until its ReadyForQuery.
  struct Sent {
    core::Route route;
    std::vector<core::Execution> executions;
    size_t completed = 0;        // Executions that have completed.
    size_t completed_parts = 0;  // Statements of the next one that have.
    bool may_write = false;
    bool failed = false;       // An ErrorResponse was part of the answer.
    bool rolled_back = false;  // COMMIT was answered with ROLLBACK (B11).
    bool changes_catalog = false;
    std::string refusal = {};  // Goes out instead of the server's error (kReplacesError).
    bool isolated =
        false;  // Names only, and a Sync of ours ends it: nobody waits for its ReadyForQuery.
  };

  // Reading the client: client_session.cc.
  net::Task<bool> welcome();
  core::VariableSet startup_settings(std::string* problem) const;
  net::Task<bool> serve_some();
  net::Task<bool> serve_input(std::string_view input);
  net::Task<bool> wait_for(Progress progress, std::string_view request);

  // Requests on their way to a server: client_requests.cc.
  Progress advance(std::string_view request);
  Progress advance_stages(std::string_view request);
  Progress skip_to_sync();
  Progress plan_request(std::string_view request);
  Progress find_server();
  Progress send_request(std::string_view request);
  Progress send_raw(std::string_view bytes);
  void isolate_segment();
  core::Route route_request() const;
  bool is_my_turn() const;
  bool answer_locally();
  bool answer_query_locally(std::string& out);
  bool answer_extended_locally(std::string& out);
  void append_local_answer(const core::LocalAnswer& answer, bool with_description,
                           std::string& out);
  net::Task<bool> finish_lease();
  net::Task<bool> prepare_server();
  bool take_server(ServerConnection& server);
  void begin_sent();
  void refuse(const Error& error);
  net::Task<bool> retry();
  void count_route();
  uint64_t parse_state() const;

  // Answers: client_responses.cc.
  Relayed on_server_piece(const wire::Piece& piece) override;
  void forward(std::string_view bytes) override;
  void on_server_done() override;
  void on_server_lost(const Error& why) override;
  void on_server_drained() override { changed_.notify_all(); }
  bool blocked() const override { return outbox_.blocked(); }
  net::Task<void> unblocked() override;
  Relayed on_message(const wire::Piece& piece, const core::Answer& answer);
  Relayed on_ready(const wire::Piece& piece, const core::Answer& answer);
  Relayed on_error(const wire::Piece& piece, const core::Answer& answer);
  Relayed on_parameter(const wire::Piece& piece, const core::Answer& answer);
  void on_tag(const wire::Piece& piece);
  void confirm(const core::Expectation& what);
  void take_locals(std::string& out);
  void finish_front(wire::TxStatus status);
  bool at_boundary();
  void append_parameter_changes(std::string& out);
  bool may_repeat() const;
  void want_retry(core::Target target);
  void flush_head();

  // Our own questions: client_questions.cc.
  void ask(OwnQuestion::Kind kind, std::string_view sql);
  Relayed on_helper_piece(const wire::Piece& piece);
  bool on_helper_answered();

  static constexpr size_t kHeadMax =
      16 * 1024;  // Of an answer held back: descriptions of a few hundred columns.

  // Cancellation and leaving: client_end.cc.
  net::Task<void> send_cancel(core::NodeIndex node, uint32_t pid, std::string secret);
  net::Task<void> leave();
  net::Task<void> leave_server();
  void fatal(const Error& error);
  void drop_server();

  Worker& worker_;
  net::Stream& stream_;
  net::Spawner spawner_;
  net::Outbox outbox_;
  net::Signal changed_;  // What a waiting coroutine of this session waits for may have come.
  Tenant& tenant_;
  ClientIdentity identity_;
  core::CancelKey key_;
  core::SessionState session_;
  core::RequestReader reader_;
  std::string inbox_;  // The start of a request that is not complete.

  // The request that is on its way to a server.
  core::RequestEnd end_ = core::RequestEnd::kMore;
  Stage stage_ = Stage::kTurn;
  core::RequestPlan plan_;
  core::Route route_;
  NodeChoice choice_;
  Pool::Attempt attempt_;
  PoolWaiter* waiter_ = nullptr;  // While it waits for a server.

  // The server that is leased, and what it owes.
  ServerConnection* server_ = nullptr;
  std::vector<Sent> sent_;     // In order; the front one is being answered.
  bool request_done_ = false;  // The client was told of an error in the request's place.
  bool skipping_ =
      false;  // An isolated segment failed: the client's messages up to its Sync are dropped.
  bool segment_open_ = false;  // Messages were sent whose Sync was not (F23).
  bool transaction_may_write_ = false;
  bool swallowing_ = false;        // The rest of an answer that is not the client's any more.
  bool streaming_forward_ = true;  // Whether the pieces of the message under way go to the client.
  bool mid_message_ = false;       // A part of a message went to the client, the rest has not come.
  std::string
      held_error_;  // Of a hidden PREPARE: the client's answer to its EXECUTE (kRepliesLater).
  std::optional<OwnQuestion> helper_;
  std::optional<core::NodeIndex> sticky_node_;

  // Repeating a read elsewhere (A60).
  std::string repeat_bytes_;  // The request; empty when it cannot be repeated.
  std::string head_;          // The start of its answer, held back while it can.
  uint32_t attempts_ = 0;
  size_t confirmed_ = 0;  // Changes of statements that this request's answers have confirmed.
  size_t already_confirmed_ = 0;  // Of an attempt before: not to be confirmed again.
  bool retry_wanted_ = false;
  core::Target retry_target_ = core::Target::kPrimary;
  std::optional<core::NodeIndex> failed_node_;

  core::LastRoute last_route_;
  std::string injected_;   // What on_server_piece() puts before or after a piece.
  std::string out_;        // Scratch for what is sent.
  bool welcomed_ = false;  // The client has seen ReadyForQuery: errors need not be fatal.
  bool ending_ = false;    // Nothing more is read from the client.
  bool end_when_idle_ = false;
  bool lost_transaction_ =
      false;  // The server of an open transaction died; the client is told at its next request.
  bool cancel_requested_ = false;
  int cancels_running_ = 0;  // F41: the server is given to nobody else meanwhile.
  int unblocking_ = 0;
  Time last_activity_{};
};

}  // namespace fairlead::proxy
