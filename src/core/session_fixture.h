// For tests only: one session whose server says what the test says. Leases are granted at once, on
// the node that was wished for; what is sent to either side is kept.
#pragma once

#include <gtest/gtest.h>

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
  explicit ScriptedSession(size_t segment_max = size_t{1} << 20)
      : session_(*this, key_, Port::kAutomatic, {}, false, segment_max) {
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
      server_.emplace();
      server_->node = NodeIndex{*wanted_ == Target::kPrimary ? uint16_t{0} : uint16_t{1}};
      session_.on_lease(*server_,
                        {.node = server_->node, .target = *std::exchange(wanted_, std::nullopt)});
    }
  }
  /// The server says it.
  void server(std::string_view bytes) {
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

  Session& session() { return session_; }
  /// Where the last lease was asked for.
  std::optional<Target> target() const { return target_; }
  std::string take_seen() { return std::exchange(seen_, {}); }
  std::string take_sent() { return std::exchange(sent_, {}); }
  size_t unused() const { return inbox_.size(); }
  uint32_t wakes = 0;
  uint32_t writes = 0;          // That the database was told of.
  bool wrote_anything = false;  // One of them was to the whole of it.

  // SessionHost.
  void to_client(std::string_view bytes) override { seen_.append(bytes); }
  void to_server(std::string_view bytes) override { sent_.append(bytes); }
  bool server_blocked() const override { return false; }
  void lease(const LeaseWish& wish) override { wanted_ = target_ = wish.route.target; }
  Result<std::optional<std::string>> fresh_token() override { return "1:1:0/1"; }
  Result<bool> may_begin() override { return true; }
  void end_wait() override {}
  std::optional<Lsn> lost_above(Time, uint64_t) const override { return std::nullopt; }
  void cancel_lease() override {}
  void release_server() override { server_.reset(); }
  void close_server() override { server_.reset(); }
  void cancel_statement() override {}
  void end_client() override {}
  void wake() override { ++wakes; }
  Time now() const override { return {}; }
  Time note_write(const WrittenTables& written) override {
    ++writes;
    wrote_anything |= written.whole_database();
    return {};
  }
  void note_catalog_change(bool) override {}
  void note_statement(const Lease&, sql::Reason) override {}
  void note_observed(const ObservedRequest&) override {}
  void note_retry() override {}
  void note_error() override {}
  void note_trouble(NodeIndex, std::string_view) override {}
  void note_doubt() override {}
  std::string_view node_name(NodeIndex) const override { return "node"; }
  std::span<const wire::ResultColumn> report_columns(std::string_view) const override { return {}; }
  std::shared_ptr<const wire::ResultTable> fresh_report(std::string_view) override {
    return nullptr;
  }

  // RelaySink.
  bool leased() const override { return server_.has_value(); }
  bool given_up() const override { return false; }
  Relayed on_server_piece(const wire::Piece& piece) override {
    return session_.on_server_piece(piece);
  }
  void forward(std::string_view bytes) override { session_.forward(bytes); }
  void on_server_done() override { session_.on_server_done(); }
  Result<void> on_idle_piece(const wire::Piece&) override { return {}; }

 private:
  HashKey key_{.low = 1, .high = 2};
  RequestPlanner planner_;
  sql::ShapeCache shapes_;
  StatementRegistry registry_{key_};
  KnownStatements known_{key_};
  ServerRelay relay_;
  std::optional<ServerState> server_;
  std::optional<Target> wanted_;  // A lease is asked for.
  std::optional<Target> target_;
  std::string inbox_;
  std::string seen_;
  std::string sent_;
  Session session_;
};

}  // namespace fairlead::core
