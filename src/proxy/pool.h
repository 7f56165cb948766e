// One worker's part of one pool: its servers, and its clients that wait for one.
//
// Who gets a server is decided by the shared account (shared_pool.h); this class carries it out: it
// opens servers, keeps the idle ones, hands them to waiters here or on other workers, and closes
// what is old. Worker's thread only; other workers reach it by posted messages (PoolMail).
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/pool_idle_policy.h"
#include "proxy/server_connection.h"
#include "proxy/shared_pool.h"

namespace fairlead::proxy {

class Pool;

/// Runs `work` with the pool of that key on another worker's thread.
class PoolMail {
 public:
  virtual void post_to_pool(core::WorkerId worker, std::shared_ptr<SharedPool> pool,
                            std::move_only_function<void(Pool&)> work) = 0;

 protected:
  ~PoolMail() = default;
};

/// How this pool opens a server; changes with reloads and with what logins teach.
struct PoolOpening {
  ServerEndpoint endpoint;
  ServerLogin login;
  core::HashKey hash_key;
  size_t prepared_statements_max = core::ServerStatements::kCapacityDefault;
  std::string application_name;  // Of connections that nobody uses yet.
};

/// Why a client got no server.
struct NoServer {
  enum class Why : uint8_t { kTimeout, kQueueFull, kLoginFailed, kCanceled };
  Why why = Why::kTimeout;
  LoginFailure login = {};  // kLoginFailed.
};

/// One client's turn in the queue. Lives in the coroutine that waits.
class PoolWaiter {
 public:
  explicit PoolWaiter(net::Loop& loop) : changed_(loop) {}
  /// The client does not want a server any more (it left, or canceled). The wait ends soon.
  void cancel() {
    canceled_ = true;
    changed_.notify_all();
  }
  bool waiting() const { return waiting_; }
  Time since() const { return since_; }

 private:
  friend class Pool;
  enum class Outcome : uint8_t { kNone, kServer, kOpen };

  net::Signal changed_;
  Outcome outcome_ = Outcome::kNone;
  ServerConnection* server_ = nullptr;
  bool canceled_ = false;
  bool waiting_ = false;
  Time since_{};
};

class Pool {
 public:
  Pool(net::Loop& loop, core::WorkerId worker, PoolMail& mail, std::shared_ptr<SharedPool> shared,
       PoolOpening opening);

  /// Asks the account. With `server` the lease has begun, on an idle server with the same variables
  /// if there is one; without, the attempt must be finished with finish().
  struct Attempt {
    ServerConnection* server = nullptr;
    core::Acquire answer = core::TakeIdle{};
    Time since{};
  };
  Attempt acquire(const core::VariableSet& variables);
  /// Opens a server or waits for its turn, at most `timeout`. `waiter` must outlive the call.
  net::Task<std::expected<ServerConnection*, NoServer>> finish(PoolWaiter& waiter, Attempt attempt,
                                                               Duration timeout);

  /// The lease is over. A server that is not clean is closed instead of kept.
  void release(ServerConnection& server);
  /// Closes a leased server.
  void discard(ServerConnection& server);

  /// Closes what has idled too long, is too old or of an old epoch. Call it a few times a second.
  void tick(const core::PoolIdleConfig& config, uint64_t epoch, Time now);
  /// Closes idle servers now and leased ones at release: the node changed its role, or a reload its
  /// login.
  void set_epoch(uint64_t epoch) { epoch_ = epoch; }
  void set_opening(PoolOpening opening) { opening_ = std::move(opening); }
  const PoolOpening& opening() const { return opening_; }

  /// Closes everything; then join.
  void close_all();
  net::Task<void> join() { return spawner_.join(); }

  SharedPool& shared() { return *shared_; }
  /// Every server leased here, for the node's trouble and for shutdown.
  template <class Visit>
  void for_each_leased(Visit visit) {
    std::vector<ServerConnection*> leased;
    for (auto& [id, owned] : owned_) {
      if (owned.server->leased()) leased.push_back(owned.server.get());
    }
    for (ServerConnection* server : leased) visit(*server);
  }

 private:
  using Departure = std::move_only_function<void(ServerConnection::Parts)>;
  struct Owned {
    std::unique_ptr<ServerConnection> server;
    core::SlotState slot = core::SlotState::kBusy;
    Departure departure = {};  // Set while it is on its way to another worker.
  };

  net::Task<std::expected<ServerConnection*, NoServer>> open();
  net::Task<std::expected<ServerConnection*, NoServer>> wait(PoolWaiter& waiter,
                                                             std::optional<core::Ticket> ticket,
                                                             Duration timeout);
  ServerConnection* adopt(std::unique_ptr<net::Stream> stream, ServerState state);
  net::Task<void> run_server(uint64_t id);
  ServerConnection* take_idle(const core::VariableSet& variables);
  ServerConnection* leased(ServerConnection* server);
  void depart(ServerConnection& server, Departure departure);
  void give(ServerConnection& server, core::GiveTo to);
  void grant(std::optional<core::GrantOpen> grant);
  void steal_for(core::WorkerId thief, uint64_t waiter_id);
  void on_arrival(uint64_t waiter_id, ServerConnection::Parts parts);
  void on_open_instead(uint64_t waiter_id);
  void on_grant(core::Ticket ticket);
  void on_gift(core::Ticket ticket, ServerConnection::Parts parts);
  PoolWaiter* take_waiter(core::Ticket ticket);
  void receive(PoolWaiter* waiter, ServerConnection::Parts parts);
  void serve(PoolWaiter* waiter, ServerConnection& server);

  net::Loop& loop_;
  const core::WorkerId worker_;
  PoolMail& mail_;
  std::shared_ptr<SharedPool> shared_;
  PoolOpening opening_;
  net::Spawner spawner_;
  uint64_t epoch_ = 0;
  std::unordered_map<uint64_t, Owned> owned_;
  std::vector<ServerConnection*> idle_;  // The most recently used last, so that the others can age.
  struct Queued {
    core::Ticket ticket;
    PoolWaiter* waiter;
  };
  std::vector<Queued> queued_;  // Waiters of this worker, by ticket.
  std::unordered_map<uint64_t, PoolWaiter*>
      stealing_;  // Waiters whose server comes from another worker.
  uint64_t next_steal_ = 0;
};

}  // namespace fairlead::proxy
