#include "sim/session_world.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "base/assert.h"
#include "sim/transcript.h"

namespace fairlead::sim {
namespace {

constexpr core::NodeIndex kPrimary{0};
constexpr uint32_t kReplicaNodes = 2;

const Settings kServerDefaults{{"timezone", "UTC"}, {"application_name", ""}};

/// FAIRLEAD_TEST_TRACE=1 prints what everybody says: to read a run that fails.
void trace(std::string_view who, std::string_view does, std::string_view bytes) {
  static const bool wanted = std::getenv("FAIRLEAD_TEST_TRACE") != nullptr;
  if (!wanted) return;
  std::string shown;
  for (const char c : bytes)
    if (c != 0) shown += c >= ' ' && c <= '~' ? c : '.';
  std::cerr << who << ' ' << does << ' ' << shown << '\n';
}

}  // namespace

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
                              .known = &world.known_};
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
  Time note_write() override { return Time{Duration{++world_.now_}}; }
  void note_catalog_change() override { world_.known_.clear(); }
  void note_statement(const core::Lease&, sql::Reason) override {}
  void note_retry() override {}
  void note_error() override {}
  void note_trouble(core::NodeIndex, std::string_view) override {}
  std::string_view node_name(core::NodeIndex) const override { return "node"; }

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

core::Relayed SessionWorld::Server::on_server_piece(const wire::Piece& piece) {
  return client_->session().on_server_piece(piece);
}
void SessionWorld::Server::forward(std::string_view bytes) { client_->session().forward(bytes); }
void SessionWorld::Server::on_server_done() { client_->session().on_server_done(); }

void SessionWorld::Client::close_server() {
  Server* server = std::exchange(server_, nullptr);
  const core::NodeIndex node = server->state().node;
  std::erase_if(world_.servers_, [&](const auto& owned) { return owned.get() == server; });
  world_.servers_.push_back(std::make_unique<Server>(world_, node));
}

SessionWorld::SessionWorld(Choices& choices, WorldConfig config)
    : choices_(choices), config_(config) {
  for (uint32_t i = 0; i < config.primaries; ++i)
    servers_.push_back(std::make_unique<Server>(*this, kPrimary));
  for (uint32_t i = 0; i < config.replicas * kReplicaNodes; ++i)
    servers_.push_back(std::make_unique<Server>(
        *this, core::NodeIndex{static_cast<uint16_t>(1 + i % kReplicaNodes)}));
  for (uint32_t i = 0; i < config.clients; ++i)
    clients_.push_back(std::make_unique<Client>(*this, i));
}

SessionWorld::~SessionWorld() = default;

void SessionWorld::blame(std::string what) {
  if (blame_.empty()) blame_ = std::move(what);
}

std::string SessionWorld::run() {
  while (!choices_.exhausted() && blame_.empty()) step();
  if (blame_.empty()) rest();
  for (auto& client : clients_)  // Before anything else is sent that could shake a session awake.
    if (config_.only_reads && !client->is_answered()) blame("unanswered: " + client->situation());
  for (auto& client : clients_) client->finish();
  if (blame_.empty()) rest();
  // Before, a client may well wait for a server that another one holds.
  for (auto& client : clients_)
    if (!client->at_rest() && !client->session().ended()) blame("stuck: " + client->situation());
  for (auto& client : clients_)
    if (blame_.empty()) compare(*client);
  return blame_;
}

void SessionWorld::step() {
  Client& client = *clients_[choices_.below(static_cast<uint32_t>(clients_.size()))];
  Server& server = *servers_[choices_.below(static_cast<uint32_t>(servers_.size()))];
  switch (choices_.below(10)) {
    case 0:
    case 1:
      return client.send_next(choices_);
    case 2:
    case 3:
    case 4:
      return client.deliver(1 + choices_.below(100));
    case 5:
    case 6:
    case 7:
      return server.work(choices_);
    case 8:
      return grant_leases();
    default:
      break;
  }
  if (config_.only_reads && choices_.one_in(4)) return kill_unseen(server);
  if (config_.with_deaths && choices_.one_in(20)) return kill(server);
  if (config_.with_cancels && choices_.one_in(4)) {
    client.disturb();
    client.session().on_cancel();
  } else if (client.cancels > 0) {
    --client.cancels;
    client.session().on_cancel_done();
  }
}

/// The connection breaks; what the server has said and was not read is lost.
void SessionWorld::kill(Server& server) {
  Client* client = server.client();
  const core::NodeIndex node = server.state().node;
  std::erase_if(servers_, [&](const auto& owned) { return owned.get() == &server; });
  servers_.push_back(std::make_unique<Server>(*this, node));
  if (client == nullptr) return;
  if (!config_.only_reads) client->disturb();
  client->lose_server({ErrorCode::kConnectionFailure, "the server died"});
}

void SessionWorld::kill_unseen(Server& server) {
  Client* client = server.client();
  if (server.state().node == kPrimary || (client != nullptr && !client->may_lose_server())) return;
  kill(server);
}

void SessionWorld::grant_leases() {
  for (size_t waiting = waiting_.size(); waiting > 0; --waiting) {
    Client* client = waiting_.front();
    waiting_.pop_front();
    if (Server* server = find_server(client->wish)) {
      client->grant(*server);
    } else {
      waiting_.push_back(client);
    }
  }
}

SessionWorld::Server* SessionWorld::find_server(const core::LeaseWish& wish) {
  const bool wants_primary = wish.route.target == core::Target::kPrimary;
  for (auto& server : servers_) {
    const core::NodeIndex node = server->state().node;
    if (server->is_idle() && (node == kPrimary) == wants_primary && wish.avoid != node)
      return server.get();
  }
  return nullptr;
}

bool SessionWorld::make_progress() {
  bool any = false;
  const size_t waiting = waiting_.size();
  grant_leases();
  any |= waiting_.size() != waiting;
  for (auto& client : clients_) {
    for (; client->cancels > 0; any = true) {
      --client->cancels;
      client->session().on_cancel_done();
    }
    if (client->has_work()) client->deliver(SIZE_MAX), any = true;
    if (client->wants_to_leave()) client->leave(), any = true;
  }
  for (size_t i = 0; i < servers_.size(); ++i)
    if (servers_[i]->has_work()) servers_[i]->work(choices_), any = true;
  return any && blame_.empty();
}

void SessionWorld::rest() {
  constexpr size_t kRoundsMax = 200'000;
  size_t rounds = 0;
  while (make_progress() && ++rounds < kRoundsMax) {
  }
  if (rounds < kRoundsMax) return;
  for (auto& client : clients_)
    if (client->has_work()) blame("it never comes to rest: " + client->situation());
  blame("it never comes to rest");
}

void SessionWorld::compare(Client& client) {
  const Transcript seen = read_transcript(client.seen());
  const Transcript expected = read_transcript(client.expected());
  for (const auto& other : clients_) {
    const std::string foreign = other->identity().name() + "-";
    if (other.get() != &client && seen.answers.find(foreign) != std::string::npos)
      return blame(client.identity().name() + " has seen something of " + foreign + seen.answers);
  }
  if (seen.answers.find("MALFORMED") != std::string::npos ||
      (seen.broken && !client.session().ended()))
    return blame(client.identity().name() + " got half a message:" + seen.answers);
  if (client.disturbed()) {
    if (seen.ready > expected.ready) blame(client.identity().name() + " got too many answers");
    if (seen.ready < expected.ready && !client.session().ended())
      blame(client.identity().name() + " got too few answers:" + seen.answers);
    return;
  }
  if (seen.answers != expected.answers) {
    const auto differ = std::ranges::mismatch(seen.answers, expected.answers);
    return blame(
        client.identity().name() + " got\n" + std::string(seen.answers.begin(), differ.in1) +
        "\n>>> HERE: " + std::string(differ.in1, seen.answers.end()).substr(0, 300) +
        "\n>>> EXPECTED: " + std::string(differ.in2, expected.answers.end()).substr(0, 300));
  }
  for (const auto& [name, value] : expected.reports) {
    const auto told = seen.reports.find(name);
    if (told == seen.reports.end() || told->second != value)
      blame(client.identity().name() + " was not told that " + name + " is " + value);
  }
}

}  // namespace fairlead::sim
