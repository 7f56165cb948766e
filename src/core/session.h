// One client's session: what it sends is routed, written for a server, and answered, with all that
// has to stay true meanwhile.
//
// Pure: no sockets, threads or clocks. The driver feeds it the client's bytes and the leased
// server's messages and carries out what it asks for (session_host.h); every decision is made here.
// One concern a file:
//   session.cc            its life: welcome, what the client sends, the pauses between
//   session_requests.cc   a request on its way to a server
//   session_transaction.cc  transactions that servers are told of later (B30-B36)
//   session_sending.cc    what is sent of it, and what is noted until it is answered
//   session_sequences.cc  currval() and lastval()
//   session_local.cc      requests that Fairlead answers by itself
//   session_answers.cc    what the leased server says
//   session_boundary.cc   the end of a request, and of a lease
//   session_end.cc        servers that die, cancellation, time limits, clients that leave
//
// Owned by the driver, on its worker's thread. Calls come one at a time; SessionHost may call back
// from within one only where session_host.h says so.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/client_transaction.h"
#include "core/foreign_sequences.h"
#include "core/known_statements.h"
#include "core/local_statement.h"
#include "core/own_question.h"
#include "core/read_repeat.h"
#include "core/request_effects.h"
#include "core/request_planner.h"
#include "core/request_writer.h"
#include "core/sent_requests.h"
#include "core/server_state.h"
#include "core/session_host.h"
#include "wire/error_fields.h"

namespace fairlead::core {

/// Why take() has not used all of its input, or has.
enum class Pause : uint8_t {
  kInput,    // What is left is not a complete request.
  kTurn,     // An earlier request has to be answered first, or a question of ours.
  kServer,   // A server is on its way.
  kBlocked,  // The server does not take more at the moment.
  kEnded,    // The session is over.
};

/// What becomes of one piece of a server's output.
struct Relayed {
  bool forward = true;   // To the client, as it is.
  bool done = false;     // After it the lease ends: call on_server_done().
  bool discard = false;  // Nor is anything forwarded that came before it and is still held.
  const Error* broken = nullptr;  // The server has broken the protocol: it is lost.
  std::string_view before = {};   // Ours, before and after it; valid until the next piece.
  std::string_view after = {};
};

/// What one session gets from its worker and its configuration. A reload changes it between calls,
/// and what it points to lives until the loop goes on: set it before each take() and welcome().
struct SessionEnvironment {
  RequestPlanner* planner = nullptr;  // These three are the worker's, shared by its sessions.
  sql::ShapeCache* shapes = nullptr;
  StatementRegistry* registry = nullptr;
  KnownStatements* known = nullptr;               // These two are the session's database's.
  const sql::FunctionCatalog* catalog = nullptr;  // Null: not loaded.
  uint64_t epoch = 0;                             // Of the cluster.
  bool lost_writes_fail = false;  // The client is told of them by an error, not by a warning.
  bool holds_writes = false;      // The primary asks for a pause: nothing new begins there.
  bool observes = false;  // Everything of the automatic port goes to the primary (observe mode).
  size_t repeat_max = 64 * 1024;         // Bytes of a read that are kept to repeat it elsewhere.
  bool reads_until_write = false;        // transaction_reads of the database (B31).
  Duration idle_transaction_timeout{0};  // These two: 0 is never.
  Duration client_idle_timeout{0};
};

class Session {
 public:
  /// `segment_max` bounds what is held of a pipeline that is not complete, in bytes.
  Session(SessionHost& host, HashKey key, Port port, VariableSet startup, bool keeps_server,
          size_t segment_max);

  SessionEnvironment& environment() { return environment_; }
  const SessionState& state() const { return state_; }

  // The client.
  /// Tells the client what its servers report (C1). `known` is what an earlier session with the
  /// same settings was told; without it a server is asked, and pauses happen as in take().
  Pause welcome(const ReportedParameters* known);
  /// The client has been told; errors need not be fatal from now on.
  void on_welcomed() { welcomed_ = true; }
  /// Everything to be reported at the welcome, once it is known.
  const std::optional<ReportedParameters>& welcome_reports() const { return welcome_reports_; }
  /// Takes what the client sent, from the first byte that was not used before. Takes used bytes
  /// off the front of `input`; call it again with the rest when there is more, or after wake().
  Pause take(std::string_view& input);
  bool ended() const { return ended_; }
  /// take() has something to do, although the client sends nothing, or does not read: a server must
  /// not be kept waiting for it.
  bool wants_attention() const {
    const bool keeps_server = stage_ == Stage::kServer || stage_ == Stage::kSettings;
    return ended_ || (repeat_.wanted() && !swallowing_) || (server_ != nullptr && keeps_server);
  }

  // Leases.
  void on_lease(ServerState& server, const Lease& lease);
  void on_no_lease(NoLease why);
  bool waits_for_lease() const { return waits_for_lease_; }
  /// The node of the leased server; nullopt: none is leased.
  std::optional<NodeIndex> leased_node() const;

  // The leased server.
  Relayed on_server_piece(const wire::Piece& piece);
  /// A run of bytes for the client.
  void forward(std::string_view bytes);
  void on_server_done();
  /// The server is gone or broke the protocol.
  void on_server_lost(const Error& why);
  void on_server_drained() { host_.wake(); }

  // From outside.
  void on_node_down(NodeIndex node);
  /// Another epoch has begun: a server of a primary that was replaced is given up, whatever it does
  /// (E3, E26).
  void on_new_epoch(const ClusterSnapshot& cluster);
  void on_cancel();
  void on_cancel_done();
  /// A few times a second: the limits of time (F52). Since `heard_at` the driver has not heard of
  /// the client: it has sent nothing, and was kept waiting by nobody.
  void tick(Time heard_at);
  /// 57P01: at once if `now` or nothing is open, else when the transaction is over.
  void end(bool now);
  /// The client has left, in whatever state (C25). While has_server() afterwards, a last question
  /// is being answered; then wake() is called.
  void on_client_gone();
  bool has_server() const { return server_ != nullptr; }
  /// The last question was not answered in time.
  void abandon_server();

  bool in_transaction() const {
    return state_.status != wire::TxStatus::kIdle || server_ != nullptr;
  }

 private:
  /// How far the next request has come on its way to a server; every stage can make it wait.
  enum class Stage : uint8_t { kTurn, kPlan, kToken, kReport, kServer, kSettings, kSend, kDone };

  // session.cc
  Pause read_request(std::string_view input);

  // session_requests.cc
  Pause advance(std::string_view request);
  Pause advance_stage(std::string_view request);
  Pause wait_for_token();
  void refuse_shown(bool (*is_asked)(const sql::QueryFacts&), const Error& error);
  Pause wait_for_report();
  Pause wait_for_server();
  Pause wait_for_pause();
  bool is_at_rest() const;
  bool refuse_for_lost_writes();
  Pause give_settings();
  Pause advance_repeat();
  bool is_my_turn();
  bool waits_for_answers(std::string_view request) const;
  void skip_to_sync();
  bool must_skip() const;
  void plan_request(std::string_view request);
  bool plan_messages(std::string_view request);
  PlanningSources sources() const {
    return {environment_.shapes, environment_.registry, environment_.catalog, environment_.known};
  }
  void ask_for_server();
  void refuse(const Error& error);

  // session_routing.cc
  void route_or_answer();
  Route route_request();
  void route_as_part(sql::Reason reason, RouteInput& input) const;
  template <class T>
  std::optional<T> asked(const std::optional<T>& hint, std::string_view setting) const;
  bool always_explains() const;
  bool explains() const;

  // session_transaction.cc
  bool takes(const sql::QueryFacts& facts) const;
  LocalAnswer take_command(const sql::QueryFacts& facts);
  bool goes_on_behind_rollback() const;
  void leave_failed_transaction(std::string_view request);
  void answer_in_failed_transaction();
  void answer_in_lost_transaction();
  void open_transaction(std::optional<sql::TransactionReads> asked, RouteInput& input) const;
  std::optional<bool> known_isolation() const;
  bool goes_on_on_replica() const;
  bool must_upgrade() const;
  bool waits_for_replica();
  ReadWish read_wish(const sql::Hints& hints) const;
  void leave_server();
  bool on_left_server();
  Pause begin_transaction();
  bool on_begun(const OwnQuestion& question);
  bool moves_transaction();

  // session_sending.cc
  void send_request(std::string_view request);
  void write_request(std::string_view request);
  void note_sent();
  void note_written(WrittenTables& written) const;
  void note_route();
  void note_observed(std::string_view request);
  void explain_route();
  void isolate_segment();
  Pause send_raw(std::string_view bytes);
  Pause send_last_piece(std::string_view bytes);
  uint64_t parse_state();

  // session_local.cc
  bool answer_locally();
  bool answer_query_locally(std::string& out);
  bool answer_extended_locally(std::string& out);
  bool is_mine(const sql::QueryFacts& facts) const;
  bool is_all_mine() const;
  bool prepares_known() const;
  bool fail_locally(size_t index, size_t confirmed, std::string& out);
  bool is_on_replica() const;
  void refuse_on_replica();
  void refuse_message(size_t index, const Error& error);
  void drop_behind(size_t index);
  void describe_ours(const sql::QueryFacts* facts, std::string& out);
  Result<LocalAnswer> execute_ours(const sql::QueryFacts& facts);

  // session_sequences.cc
  std::optional<size_t> find_earlier_sequence();
  void refuse_earlier_sequence();
  bool must_forget_sequences() const;
  bool ask_for_sequences();
  void refuse_unknown_sequence();

  // session_answers.cc
  bool must_wait_for_room();
  void note_room();
  Relayed on_message(const wire::Piece& piece, const Answer& answer);
  Relayed on_own_answer(const wire::Piece& piece);
  Relayed on_error(const wire::Piece& piece, const Answer& answer);
  Relayed on_fatal(const wire::ErrorFields& error);
  Relayed on_error_for_client(const wire::Piece& piece, const Answer& answer,
                              std::string_view sqlstate);
  void skip_with_server();
  bool wants_repeat(const wire::ErrorFields& error);
  void note_refusal();
  void doubt_primary(std::string_view sqlstate);
  Relayed on_parameter(const wire::Piece& piece);
  void apply_reports();
  void on_tag(const wire::Piece& piece);
  void confirm(const Expectation& what);
  void take_locals(std::string& out);
  void want_repeat(std::optional<Target> target);

  // session_boundary.cc
  Relayed on_ready(const wire::Piece& piece, const Answer& answer);
  Relayed on_hidden_ready(const Answer& answer);
  bool waits_for_follow_up(wire::TxStatus status);
  void ask_follow_up();
  void apply_completed(SentRequest& sent);
  void on_discarded(SentRequest& front);
  void finish_front(wire::TxStatus status);
  bool at_boundary();
  void release_if_done();
  void append_parameter_changes(std::string& out);
  void ask(OwnQuestion::Kind kind, std::string_view sql);
  bool on_question_answered();
  bool on_question_failed(const OwnQuestion& question);
  bool on_left_clean();

  // session_end.cc
  void fatal(const Error& error);
  void close_server();
  bool is_busy() const;
  void end_if_done();
  void lose_server(const Error& why);
  bool holds_state() const;
  bool owes_sync() const;
  template <class Visit>
  void for_each_lost(Visit visit);
  bool may_have_written();
  void note_unknown_writes();
  void answer_lost_requests(std::string_view how);
  bool repeat_elsewhere();
  void give_up_repeat();

  SessionHost& host_;
  SessionEnvironment environment_;
  SessionState state_;
  RequestReader reader_;

  // The request that is on its way to a server.
  bool request_read_ = false;
  RequestEnd end_ = RequestEnd::kMore;
  Stage stage_ = Stage::kTurn;
  RequestPlan plan_;
  Route route_;
  std::optional<WouldBe> would_be_;  // Observe mode: where it would have gone.
  uint64_t own_parse_state_ = 0;     // For statements that mean something in this session only.
  bool waits_for_lease_ = false;

  ClientTransaction transaction_;

  // The server that is leased, and what it owes.
  ServerState* server_ = nullptr;
  Lease lease_;
  ForeignSequences foreign_sequences_;
  std::optional<NodeIndex> kept_node_;  // The last replica (balance = "sticky").
  SentRequests sent_;
  std::optional<OwnQuestion> question_;  // Ours, unanswered; nothing else is on its way then.
  bool waits_for_room_ = false;          // Too much is owed to send more (ResponseQueue::is_full).
  bool segment_open_ = false;            // Messages were sent whose Sync was not (F23).
  bool half_sent_ =
      false;  // The server waits for the rest of a message: it would take anything for it.
  bool open_message_sent_ = false;  // The head of a large message is out: its rest follows it.
  bool skipping_ = false;           // The client's messages up to its Sync are dropped (F22).
  std::vector<ReportedParameter> reports_;  // Of the front request, until its effects count.
  bool transaction_may_write_ = false;
  CatalogChange transaction_catalog_change_ = CatalogChange::kNone;
  WrittenTables transaction_wrote_;
  bool mid_message_ = false;      // A part of a message went to the client, the rest has not come.
  bool forwards_message_ = true;  // What is done with the pieces of the message under way.
  bool row_passed_ = false;       // The last piece was a row for the client: so is the next one.
  bool swallowing_ = false;       // The rest of an answer that is not the client's any more.
  std::string held_error_;        // Of a hidden PREPARE, until its EXECUTE fails (kRepliesLater).
  std::optional<Error> broken_;   // What Relayed::broken points to.
  std::string fatal_;             // What the server said before it left, for people.
  bool client_was_told_ = false;  // That FATAL was the client's.
  std::optional<wire::TxStatus> held_ready_;  // The client's, until a follow-up is done (C24).

  ReadRepeat repeat_;
  uint32_t attempts_ = 0;             // To lease a server for the request.
  bool replica_is_behind_ = false;    // And the request must not wait for it any longer (B34).
  bool repeated_ = false;             // It is being executed again; there is no third time (A60).
  std::vector<NodeIndex> avoid_;      // They have failed the request already.
  std::unique_ptr<NoLease> refusal_;  // What the last of them said, if it let nobody in.
  size_t held_confirmations_ = 0;     // Of changes of statements, in an answer that is held back.

  Time answered_at_{};  // When the last thing was answered that was owed: idle from then on.

  LastRoute last_route_;
  std::string token_;  // For SHOW fairlead.token, while that is being answered.
  std::map<std::string, std::shared_ptr<const wire::ResultTable>, std::less<>>
      shown_;  // The same for reports, by their names.
  std::optional<ReportedParameters> welcome_reports_;
  std::string injected_;        // What Relayed::before and after point to.
  std::string injected_after_;  // The same, after a ReadyForQuery.
  std::string out_;             // Scratch for what is sent.
  bool welcomed_ = false;       // The client has seen ReadyForQuery: errors need not be fatal.
  bool ended_ = false;
  bool client_gone_ = false;
  bool end_when_idle_ = false;
  bool lost_transaction_ = false;  // Its server died; the client is told at its next request.
  bool cancel_requested_ = false;
  uint32_t cancels_running_ = 0;  // F41: the server is given to nobody else meanwhile.
};

}  // namespace fairlead::core
