// For tests only: one session whose server says what the test says. Leases are granted at once, on
// the node that was wished for, each of which has one server; what is sent to either side is kept.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/server_relay.h"
#include "core/session.h"
#include "wire/backend_encode.h"
#include "wire/frontend_encode.h"

namespace fairlead::core {

/// The types of the messages in `bytes`, in order.
inline std::string types_of(std::string_view bytes) {
  std::string types;
  while (bytes.size() >= wire::kFrameHeaderSize) {
    types += bytes.front();
    const size_t size = 1 + load_u32(bytes.data() + 1);
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
  return types;
}

class ScriptedSession : public SessionHost, public RelaySink {
 public:
  explicit ScriptedSession(size_t segment_max = size_t{1} << 20, VariableSet startup = {})
      : session_(*this, key_, Port::kAutomatic, std::move(startup), false, segment_max) {
    session_.environment() = {
        .planner = &planner_, .shapes = &shapes_, .registry = &registry_, .known = &known_};
    const ReportedParameters reports;
    EXPECT_EQ(session_.welcome(&reports), Pause::kInput);
    session_.on_welcomed();
  }

  /// The client sends; what the session does not use yet is kept for the next time.
  Pause client(std::string_view bytes) {
    inbox_.append(bytes);
    for (;;) {
      std::string_view rest = inbox_;
      const Pause pause = session_.take(rest);
      inbox_.erase(0, inbox_.size() - rest.size());
      if (!wanted_) return pause;
      const NodeIndex node{*wanted_ == Target::kPrimary ? uint16_t{0} : uint16_t{1}};
      server_ = &open_server(node);
      session_.on_lease(*server_, {.node = node, .target = *std::exchange(wanted_, std::nullopt)});
    }
  }
  Pause query(std::string_view text) {
    std::string out;
    wire::append_query(out, text);
    return client(out);
  }
  /// The server says it.
  void server(std::string_view bytes) {
    closed_ = false;
    const auto relayed = relay_.feed(bytes, *this);
    EXPECT_TRUE(relayed) << describe(relayed.error());
  }
  /// The server says that a Query or a segment has been carried out.
  void server_completes(std::string_view tag, wire::TxStatus status) {
    std::string out;
    wire::append_command_complete(out, tag);
    wire::append_ready_for_query(out, status);
    server(out);
  }

  void server_fails(std::string_view sqlstate, std::string_view message, wire::TxStatus status) {
    std::string out;
    wire::append_error(out, wire::Severity::kError, sqlstate, message);
    wire::append_ready_for_query(out, status);
    server(out);
  }
  /// One row, and ReadyForQuery: the answer to a question.
  void server_answers(std::initializer_list<std::optional<std::string_view>> row) {
    std::string out;
    wire::append_text_data_row(out, std::vector(row));
    wire::append_command_complete(out, "SELECT 1");
    wire::append_ready_for_query(out, wire::TxStatus::kIdle);
    server(out);
  }
  void server_dies() {
    close_server();
    session_.on_server_lost({ErrorCode::kConnectionFailure, "the server died"});
  }

  Session& session() { return session_; }
  /// The server of the primary's, as it is known.
  ServerState& primary() { return open_server(NodeIndex{0}); }
  /// Where the last lease was asked for.
  std::optional<Target> target() const { return target_; }
  std::string take_seen() { return std::exchange(seen_, {}); }
  std::string take_sent() { return std::exchange(sent_, {}); }
  size_t unused() const { return inbox_.size(); }
  uint32_t wakes = 0;
  uint32_t writes = 0;          // That the database was told of.
  bool wrote_anything = false;  // One of them was to the whole of it.
  uint32_t cancels = 0;
  uint32_t releases = 0;
  uint32_t waits_ended = 0;
  uint32_t sudden_deaths = 0;
  bool has_token = true;
  bool shows_reports = false;  // And has none yet.
  Time clock{};
  StillShows shows = StillShows::kAll;

  // SessionHost.
  void to_client(std::string_view bytes) override { seen_.append(bytes); }
  void to_server(std::string_view bytes) override { sent_.append(bytes); }
  bool server_blocked() const override { return false; }
  void lease(const LeaseWish& wish) override { wanted_ = target_ = wish.route.target; }
  Result<std::optional<std::string>> fresh_token() override {
    if (!has_token) return std::nullopt;
    return "1:1:0/1";
  }
  Result<bool> may_begin() override { return true; }
  void end_wait() override { ++waits_ended; }
  std::optional<Lsn> lost_above(Time, uint64_t) const override { return std::nullopt; }
  StillShows still_shows(const Route&, const RequestPlan&) override { return shows; }
  void cancel_lease() override {}
  void release_server() override {
    server_ = nullptr;
    ++releases;
  }
  void close_server() override {
    servers_.at(std::to_underlying(std::exchange(server_, nullptr)->node)).reset();
    relay_ = {};
    closed_ = true;
  }
  void cancel_statement() override { ++cancels; }
  void end_client() override {}
  void wake() override { ++wakes; }
  Time note_write(const WrittenTables& written) override {
    ++writes;
    wrote_anything |= written.whole_database();
    return {};
  }
  Time now() const override { return clock; }
  void note_catalog_change(CatalogChange) override {}
  void note_statement(const Lease&, sql::Reason) override {}
  void note_observed(const ObservedRequest&) override {}
  void note_retry() override {}
  void note_error() override {}
  void note_trouble(NodeIndex, std::string_view) override {}
  void note_sudden_death(NodeIndex) override { ++sudden_deaths; }
  void note_doubt() override {}
  std::string_view node_name(NodeIndex) const override { return "node"; }
  std::span<const wire::ResultColumn> report_columns(std::string_view) const override {
    static constexpr std::array kColumns{wire::ResultColumn{}};
    if (!shows_reports) return {};
    return kColumns;
  }
  std::shared_ptr<const wire::ResultTable> fresh_report(std::string_view) override {
    return nullptr;
  }

  // RelaySink.
  bool leased() const override { return server_ != nullptr; }
  bool given_up() const override { return closed_; }
  Relayed on_server_piece(const wire::Piece& piece) override {
    return session_.on_server_piece(piece);
  }
  void forward(std::string_view bytes) override { session_.forward(bytes); }
  void on_server_done() override { session_.on_server_done(); }
  Result<void> on_idle_piece(const wire::Piece&) override { return {}; }

 private:
  ServerState& open_server(NodeIndex node) {
    std::optional<ServerState>& server = servers_.at(std::to_underlying(node));
    if (server) return *server;
    server.emplace();
    server->node = node;
    server->statements = ServerStatements(key_);
    return *server;
  }

  HashKey key_{.low = 1, .high = 2};
  RequestPlanner planner_;
  sql::ShapeCache shapes_;
  StatementRegistry registry_{key_};
  KnownStatements known_{key_};
  ServerRelay relay_;
  std::array<std::optional<ServerState>, 2> servers_;
  ServerState* server_ = nullptr;  // Leased.
  bool closed_ = false;            // While it spoke.
  std::optional<Target> wanted_;   // A lease is asked for.
  std::optional<Target> target_;
  std::string inbox_;
  std::string seen_;
  std::string sent_;
  Session session_;
};

}  // namespace fairlead::core
