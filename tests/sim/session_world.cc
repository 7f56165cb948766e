#include "sim/session_world.h"

#include <algorithm>

#include "sim/session_parties.h"

namespace fairlead::sim {
namespace {

constexpr uint32_t kReplicaNodes = 2;

}  // namespace

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
  if (config_.with_doubts && server.client() != nullptr && server.state().node != kPrimary)
    return server.client()->session().on_node_down(server.state().node);
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
  bool wants_primary = true;  // It comes after the last replica.
  for (uint16_t i = 1; i <= kReplicaNodes; ++i)
    wants_primary &= std::ranges::find(wish.avoid, core::NodeIndex{i}) != wish.avoid.end();
  wants_primary |= wish.route.target == core::Target::kPrimary;
  for (auto& server : servers_) {
    const core::NodeIndex node = server->state().node;
    if (server->is_idle() && (node == kPrimary) == wants_primary &&
        std::ranges::find(wish.avoid, node) == wish.avoid.end())
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
