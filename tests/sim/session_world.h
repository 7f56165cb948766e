// Sessions of many clients over a few shared servers, with a server of its own for each client
// beside them: whatever a client gets through its session must be what its own server says.
//
// Everything that is concurrent in the real program is a random choice here: when bytes arrive and
// in what pieces, who runs next, when a server comes free, dies, or is asked to cancel. Pure and
// deterministic: the same choices, the same run.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/server_relay.h"
#include "core/session.h"
#include "sim/choices.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace fairlead::sim {

struct WorldConfig {
  uint32_t clients = 3;
  uint32_t primaries = 2;  // Servers of the primary, and of each of two replicas.
  uint32_t replicas = 1;
  bool with_deaths = false;
  bool with_cancels = false;
  bool with_doubts = false;  // Replicas are said to be down now and then, and are not.
  bool until_write = false;  // transaction_reads.
  /// Clients only read, one request after the other, and replicas die while nothing of an answer
  /// has been seen, once for each request: nobody may notice (A60).
  bool only_reads = false;
};

class SessionWorld {
 public:
  SessionWorld(Choices& choices, WorldConfig config);
  ~SessionWorld();

  /// Runs until the choices are exhausted, then lets everything come to rest, and compares. Empty:
  /// all is well; else what is wrong, for people.
  std::string run();

 private:
  class Server;
  class Client;

  void step();
  void rest();
  bool make_progress();
  void kill(Server& server);
  void kill_unseen(Server& server);
  void grant_leases();
  Server* find_server(const core::LeaseWish& wish);
  void compare(Client& client);
  void blame(std::string what);

  Choices& choices_;
  WorldConfig config_;
  core::HashKey hash_key_{.low = 1, .high = 2};
  core::RequestPlanner planner_;
  sql::ShapeCache shapes_;
  core::StatementRegistry registry_{hash_key_};
  core::KnownStatements known_{hash_key_};
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::deque<Client*> waiting_;  // For a server.
  uint64_t server_ids_ = 0;
  int64_t now_ = 0;
  std::string blame_;
};

}  // namespace fairlead::sim
