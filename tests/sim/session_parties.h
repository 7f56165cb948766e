// Who lives in a SessionWorld: its servers and its clients. For session_world.cc alone, which lets
// them live.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "base/assert.h"
#include "sim/session_world.h"
#include "sim/transcript.h"

namespace fairlead::sim {

inline constexpr core::NodeIndex kPrimary{0};
inline const Settings kServerDefaults{{"timezone", "UTC"}, {"application_name", ""}};

/// FAIRLEAD_TEST_TRACE=1 prints what everybody says: to read a run that fails.
inline void trace(std::string_view who, std::string_view does, std::string_view bytes) {
  static const bool wanted = std::getenv("FAIRLEAD_TEST_TRACE") != nullptr;
  if (!wanted) return;
  std::string shown;
  for (const char c : bytes)
    if (c != 0) shown += c >= ' ' && c <= '~' ? c : '.';
  std::cerr << who << ' ' << does << ' ' << shown << '\n';
}

/// One pooled connection: a server, what is known of it, and the bytes on their way.
class SessionWorld::Server final : public core::RelaySink {
 public:
  Server(SessionWorld& world, core::NodeIndex node)
      : world_(world), server_(kServerDefaults, node != kPrimary) {
    state_.node = node;
    state_.id = ++world.server_ids_;
    state_.statements = core::ServerStatements(world.hash_key_, 3);
    for (const auto& [name, value] : kServerDefaults) {
      state_.login_reported.set(name, value);
      state_.on_parameter(name, value);
    }
  }

  core::ServerState& state() { return state_; }
  SimServer& sim() { return server_; }
  bool is_idle() const { return client_ == nullptr; }
  void lease_to(Client& client) { client_ = &client; }
  Client* client() { return client_; }
  void end_lease() { client_ = nullptr; }
  void send(std::string_view bytes) { in_flight_.append(bytes); }
  bool has_work() const { return !in_flight_.empty() || server_.has_output(); }

  void work(Choices& choices) {
    if (!in_flight_.empty() && (choices.one_in(2) || !server_.has_output())) {
      const size_t size = 1 + choices.below(static_cast<uint32_t>(in_flight_.size()));
      server_.receive(in_flight_.substr(0, size));
      in_flight_.erase(0, size);
    } else if (server_.has_output()) {
      relay(server_.take_output(1 + choices.below(200)));
    }
  }

  void relay(const std::string& bytes) {
    trace("server " + std::to_string(state_.id), "says", bytes);
    if (const auto relayed = relay_.feed(bytes, *this); !relayed)
      world_.blame("a server's output was refused: " + describe(relayed.error()));
  }

  /// Nothing of its client may be left when somebody else can get it.
  std::string why_unclean() {
    // Rows of a COPY that the server has given up may still be on their way: it drops them.
    server_.receive(std::exchange(in_flight_, {}));
    if (!server_.is_quiet() || !state_.responses.empty() || !relay_.at_boundary())
      return "messages are on their way";
    if (server_.status() != wire::TxStatus::kIdle) return "a transaction is open";
    if (!server_.listening().empty()) return "it listens";
    for (const std::string& name : {"app.tenant", "timezone", "application_name"}) {
      const core::Setting* setting = state_.variables.find(name);
      if (setting != nullptr && setting->is_unknown()) continue;
      const auto fallback = kServerDefaults.find(name);
      const std::string otherwise = fallback == kServerDefaults.end() ? "" : fallback->second;
      const std::string believed = setting != nullptr ? setting->text() : otherwise;
      if (server_.setting(name) != believed)
        return name + " is \"" + server_.setting(name) + "\" and is believed to be \"" + believed +
               "\"";
    }
    for (const std::string& name : server_.statement_names())
      if (!name.starts_with("fl_")) return "it has a client's statement " + name;
    if (server_.statement_names().size() != state_.statements.size())
      return "its statements are not known";
    return {};
  }

  // RelaySink.
  bool leased() const override { return client_ != nullptr; }
  bool given_up() const override { return false; }
  core::Relayed on_server_piece(const wire::Piece& piece) override;
  void forward(std::string_view bytes) override;
  void on_server_done() override;
  Result<void> on_idle_piece(const wire::Piece&) override {
    return fail(ErrorCode::kInternal, "an idle server spoke");
  }

 private:
  SessionWorld& world_;
  SimServer server_;
  core::ServerState state_;
  core::ServerRelay relay_;
  std::string in_flight_;
  Client* client_ = nullptr;
};

/// One client, its session, and the server that it would have without Fairlead.
class SessionWorld::Client final : public core::SessionHost {
 public:
  Client(SessionWorld& world, uint32_t number)
      : world_(world),
        client_(number),
        own_(own_defaults(number), false),
        session_(*this, world.hash_key_, core::Port::kAutomatic, startup(number), false, 1 << 20) {
    session_.environment() = {.planner = &world.planner_,
                              .shapes = &world.shapes_,
                              .registry = &world.registry_,
                              .known = &world.known_,
                              .reads_until_write = world.config_.until_write};
    core::ReportedParameters reports;
    for (const auto& [name, value] : own_defaults(number)) reports.set(name, value);
    require(session_.welcome(&reports) == core::Pause::kInput, "known reports need no server");
    session_.on_welcomed();
  }

  /// Odd clients ask for a time zone at start-up: RESET must bring it back.
  static Settings own_defaults(uint32_t number) {
    Settings defaults = kServerDefaults;
    if (number % 2 == 1) defaults["timezone"] = "c" + std::to_string(number) + "-zone";
    return defaults;
  }
  static core::VariableSet startup(uint32_t number) {
    if (number % 2 == 0) return {};
    return core::VariableSet(
        {{"timezone", core::Setting::from_value(own_defaults(number)["timezone"], "UTF8")}});
  }

  core::Session& session() { return session_; }
  const SimClient& identity() const { return client_; }
  bool has_work() const { return !left_ && (!unsent_.empty() || woken_); }
  bool disturbed() const { return disturbed_; }
  void disturb() { disturbed_ = true; }
  const std::string& seen() const { return seen_; }
  core::LeaseWish wish;

  void send(const std::string& request) {
    trace(client_.name(), "sends", request);
    own_.receive(request);
    expected_ += own_.take_output();
    unsent_ += request;
  }
  void send_next(Choices& choices) {
    if (world_.config_.only_reads) {
      if (!at_rest() || seen_.size() != expected_.size()) return;
      lost_one_ = false;
      return send(client_.read(choices));
    }
    if (unsent_.size() < 2000) send(client_.request(choices));
  }
  /// Its request may be lost once, and nothing of the answer has come.
  bool may_lose_server() {
    const bool between_answers =
        seen_.empty() || seen_.ends_with(std::string_view("Z\0\0\0\5I", 6));
    return between_answers && !std::exchange(lost_one_, between_answers || lost_one_);
  }
  void finish() { send(client_.last_request()); }

  /// As its driver does when nothing more is to be read.
  void leave() {
    left_ = true;
    unsent_.clear();
    session_.on_client_gone();
  }
  bool wants_to_leave() const { return session_.ended() && !left_; }
  void deliver(size_t size) {
    woken_ = false;
    if (left_) return;
    inbox_ += unsent_.substr(0, size);
    unsent_.erase(0, size);
    std::string_view rest = inbox_;
    pause_ = session_.take(rest);
    inbox_ = std::string(rest);
  }
  std::string_view expected() const { return expected_; }
  bool at_rest() const {
    return unsent_.empty() && inbox_.empty() && pause_ == core::Pause::kInput;
  }
  bool is_answered() const {
    return read_transcript(seen_).ready == read_transcript(expected_).ready;
  }
  std::string situation() const {
    return client_.name() + ": pause " + std::to_string(static_cast<int>(pause_)) + ", " +
           std::to_string(inbox_.size()) + " bytes unused, " +
           (server_ != nullptr ? "has a server" : "has no server");
  }

  void grant(Server& server) {
    server_ = &server;
    server.lease_to(*this);
    const bool on_primary = server.state().node == kPrimary;
    session_.on_lease(server.state(),
                      {.node = server.state().node,
                       .target = on_primary ? core::Target::kPrimary : core::Target::kReplica,
                       .reason = wish.route.reason});
  }
  void lose_server(const Error& why) {
    trace(client_.name(), "loses its server:", why.message);
    server_ = nullptr;
    session_.on_server_lost(why);
  }
  uint32_t cancels = 0;  // Whose connection the server has not closed yet.

  // core::SessionHost.
  void to_client(std::string_view bytes) override {
    trace(client_.name(), "<-", bytes);
    seen_.append(bytes);
  }
  void to_server(std::string_view bytes) override {
    trace(client_.name(), "-> server " + std::to_string(server_->state().id), bytes);
    server_->send(bytes);
  }
  bool server_blocked() const override { return false; }
  void lease(const core::LeaseWish& wanted) override {
    wish = wanted;
    world_.waiting_.push_back(this);
  }
  core::StillShows still_shows(const core::Route&, const core::RequestPlan&) override {
    return core::StillShows::kAll;
  }
  void cancel_lease() override {
    std::erase(world_.waiting_, this);
    session_.on_no_lease({.error = {ErrorCode::kQueryCanceled, "canceled"}});
  }
  void release_server() override {
    Server& server = *std::exchange(server_, nullptr);
    server.end_lease();
    if (const std::string why = server.why_unclean(); !why.empty())
      world_.blame(client_.name() + " gave back an unclean server: " + why);
  }
  void close_server() override;
  void cancel_statement() override { ++cancels; }
  void end_client() override {}
  void wake() override {
    // As the driver: while it waits for the client's next bytes, it is not disturbed for nothing.
    woken_ = woken_ || pause_ != core::Pause::kInput || session_.wants_attention();
  }
  Time now() const override { return Time{Duration{world_.now_}}; }
  Time note_write(const core::WrittenTables&) override { return Time{Duration{++world_.now_}}; }
  void note_catalog_change(core::CatalogChange) override { world_.known_.clear(); }
  void note_statement(const core::Lease&, sql::Reason) override {}
  void note_retry() override {}
  void note_error() override {}
  void note_trouble(core::NodeIndex, std::string_view) override {}
  void note_sudden_death(core::NodeIndex) override {}
  Result<bool> may_begin() override { return true; }
  void end_wait() override {}
  std::optional<Lsn> lost_above(Time, uint64_t) const override { return std::nullopt; }
  void note_doubt() override {}
  Result<std::optional<std::string>> fresh_token() override { return "1:1:0/1"; }
  std::string_view node_name(core::NodeIndex) const override { return "node"; }
  void note_observed(const core::ObservedRequest&) override {}
  std::span<const wire::ResultColumn> report_columns(std::string_view) const override { return {}; }
  std::shared_ptr<const wire::ResultTable> fresh_report(std::string_view) override {
    return std::make_shared<const wire::ResultTable>();
  }

 private:
  SessionWorld& world_;
  SimClient client_;
  SimServer own_;
  core::Session session_;
  Server* server_ = nullptr;
  core::Pause pause_ = core::Pause::kInput;
  std::string unsent_;
  std::string inbox_;
  std::string expected_;
  std::string seen_;
  bool woken_ = false;
  bool left_ = false;
  bool disturbed_ = false;
  bool lost_one_ = false;
};

inline core::Relayed SessionWorld::Server::on_server_piece(const wire::Piece& piece) {
  return client_->session().on_server_piece(piece);
}
inline void SessionWorld::Server::forward(std::string_view bytes) {
  client_->session().forward(bytes);
}
inline void SessionWorld::Server::on_server_done() { client_->session().on_server_done(); }

}  // namespace fairlead::sim
