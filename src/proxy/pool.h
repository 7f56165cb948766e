// One worker's part of one pool: its servers, and its clients that wait for one.
//
// Leases and idle servers are in pool.cc, waiting in pool_waiting.cc.
//
// Who gets a server is decided by the shared account (shared_pool.h); this class carries it out: it
// opens servers, keeps the idle ones, hands them to waiters here or on other workers, and closes
// what is old. Worker's thread only; other workers reach it by posted messages (PoolMail).
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
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
};

/// Why a client got no server.
struct NoServer {
  enum class Why : uint8_t { kTimeout, kQueueFull, kLoginFailed, kCanceled };
  Why why = Why::kTimeout;
  LoginFailure login = {};  // kLoginFailed.
};

/// Who waits for a server of one pool. After an acquire() that gave none, exactly one of the calls
/// comes, unless give_up() came before; on_no_server() may come from within acquire() itself.
class PoolWaiter {
 public:
  virtual void on_server(ServerConnection& server) = 0;
  virtual void on_no_server(NoServer why) = 0;
  /// Another node would do as well, so where a login was refused a moment ago none is tried for it.
  virtual bool may_go_elsewhere() const = 0;

  bool waiting() const { return waits_for_ != 0; }
  Time since() const { return since_; }

 protected:
  ~PoolWaiter() = default;
  /// It wants something else from now on; until then it has its place among who waits by when it
  /// came first, also where it comes back because it could not use what it was given.
  void come_anew() { came_at_.reset(); }

 private:
  friend class Pool;
  uint64_t waits_for_ = 0;              // Its number in Pool::waiters_; 0: none.
  std::optional<core::Ticket> ticket_;  // Its place in the queue; else a server is on its way.
  std::optional<Time> came_at_;         // For what it wants now, to any pool.
  Time since_{};
};

class Pool {
 public:
  Pool(net::Loop& loop, core::WorkerId worker, PoolMail& mail, std::shared_ptr<SharedPool> shared,
       PoolOpening opening);

  /// A server at once, an idle one with the same variables if there is one; or null, and `waiter`
  /// is told later, or at once if none can be had. `waiter` must live until then, or until
  /// give_up().
  ServerConnection* acquire(PoolWaiter& waiter, const core::VariableSet& variables);
  /// It does not want a server any more; nothing is called.
  void give_up(PoolWaiter& waiter);

  /// The lease is over. A server that is not clean, or too old, is closed instead of kept.
  void release(ServerConnection& server);
  /// Closes a leased server.
  void discard(ServerConnection& server);

  /// A server has died at work. When one backend is killed, PostgreSQL ends all the others, and who
  /// is let in before it has noticed; and a machine that is gone has none left. So those of all
  /// workers that were opened before it are lent to nobody any more, and new ones are opened only
  /// kDoubtAfterDeath later. Idle ones are closed at once, or by the next acquire() or tick() of
  /// their worker; leased ones at release.
  void on_sudden_death();

  /// Closes what has idled too long, is too old or of an old epoch. Call it a few times a second.
  void tick(const core::PoolIdleConfig& config, uint64_t epoch, Time now);
  /// The primary has changed: servers of another epoch are closed, idle ones by tick() and leased
  /// ones at release.
  void set_epoch(uint64_t epoch) { epoch_ = epoch; }
  /// How servers are opened from now on: a reload has changed the login, or the node has moved.
  void set_opening(PoolOpening opening) {
    opening_ = std::move(opening);
    refusal_.reset();
  }
  /// Its node has left the list: idle servers are closed, those at work when they are given back.
  void set_retired(bool retired) { retired_ = retired; }
  bool is_retired() const { return retired_; }
  const PoolOpening& opening() const { return opening_; }

  /// Closes everything, and from now on whatever is still on its way here; nobody waits any more.
  /// Then join.
  void close_all();
  net::Task<void> join() { return spawner_.join(); }

  /// Somebody has a server of it, or waits for one.
  bool has_clients() const {
    return waiters_.size() != free_numbers_.size() ||
           std::ranges::any_of(owned_, [](const auto& it) { return it.second.server->leased(); });
  }
  /// It has nothing, and nothing is on its way to it: it can be destroyed.
  bool is_unused() const {
    return owned_.empty() && waiters_.size() == free_numbers_.size() && spawner_.running() == 0 &&
           shared_->with_queue(
               [&](core::PoolQueue& queue) { return queue.has_nothing_of(worker_); });
  }

  SharedPool& shared() { return *shared_; }

 private:
  /// Every server leased here; `visit` may give one up.
  template <class Visit>
  void for_each_leased(Visit visit) {
    std::vector<ServerConnection*> leased;
    for (auto& [id, owned] : owned_) {
      if (owned.server->leased()) leased.push_back(owned.server.get());
    }
    for (ServerConnection* server : leased) visit(*server);
  }

  using Departure = std::move_only_function<void(ServerConnection::Parts)>;
  struct Owned {
    std::unique_ptr<ServerConnection> server;
    core::SlotState slot = core::SlotState::kOpening;
    Departure departure = {};  // Set while it is on its way to another worker.
  };

  net::Task<void> open(uint64_t waiter);
  ServerConnection* adopt(std::unique_ptr<net::Stream> stream, ServerState state);
  net::Task<void> run_server(uint64_t id);
  ServerConnection* take_idle(const core::VariableSet& variables);
  ServerConnection* lend(ServerConnection& server);
  void set_slot(Owned& owned, core::SlotState slot);
  void retire(Owned& owned, core::SlotState slot);
  void depart(ServerConnection& server, Departure departure);
  void give(ServerConnection& server, core::GiveTo to);
  void grant(std::optional<core::GrantOpen> grant);
  uint64_t enlist(PoolWaiter& waiter);
  PoolWaiter* take_waiter(uint64_t number);
  uint64_t take_queued(core::Ticket ticket);
  void begin_open(uint64_t waiter);
  bool is_refused(const PoolWaiter& waiter, Time now) const;
  void note_refusal(const LoginFailure& failure);
  void steal_for(core::WorkerId thief, uint64_t waiter);
  void on_grant(core::Ticket ticket);
  void on_not_opened();
  void open_or_return(uint64_t waiter);
  bool may_keep(const ServerConnection& server, Time now) const;
  bool trusts(const ServerConnection& server) const {
    return server.state().opened_at > shared_->distrusted_until();
  }
  void close_distrusted();
  bool is_due(const ServerConnection& server, const core::PoolIdleConfig& config, uint32_t servers,
              Time now);
  void on_gift(core::Ticket ticket, ServerConnection::Parts parts);
  void receive(uint64_t waiter, ServerConnection::Parts parts);
  void turn_away(uint64_t waiter, net::Stream stream);
  void serve(uint64_t waiter, ServerConnection& server);
  void hand_over(uint64_t waiter, ServerConnection& server);

  // The postmaster hears of a dead backend within milliseconds, unless its machine is very busy.
  static constexpr Duration kDoubtAfterDeath = std::chrono::milliseconds(100);

  static constexpr uint64_t kSpare = 0;  // Nobody waits for it (min_servers).
  // After a failure: what keeps a spare server from being opened may last, and every attempt is a
  // line in the server's log.
  static constexpr Duration kSpareRetryGap = std::chrono::seconds(5);

  // A replica that lacks a role, or has no connection left, costs one login for this long instead
  // of one for each read.
  static constexpr Duration kRefusalPause = std::chrono::seconds(1);

  /// The server's own refusal of the last login.
  struct Refusal {
    LoginFailure failure;
    Time until{};
  };

  net::Loop& loop_;
  const core::WorkerId worker_;
  PoolMail& mail_;
  std::shared_ptr<SharedPool> shared_;
  PoolOpening opening_;
  std::optional<Refusal> refusal_;
  net::Spawner spawner_;
  uint64_t epoch_ = 0;
  Time distrusted_until_{};      // So far idle servers were closed.
  Duration server_lifetime_{0};  // As of the last tick; 0: for ever.
  bool retired_ = false;
  bool closing_ = false;
  std::unordered_map<uint64_t, Owned> owned_;
  std::vector<ServerConnection*> idle_;  // The most recently used last, so that the others can age.
  /// Who waits, by number - 1. Null: it has given up, and what comes for it is given back.
  std::vector<PoolWaiter*> waiters_;
  std::vector<uint64_t> free_numbers_;
  Time next_spare_at_{};
  struct Queued {
    std::optional<core::Ticket> ticket;  // None: answered.
    uint64_t waiter;
  };
  std::vector<Queued> queued_;  // From queued_begin_ on: our waiters in the queue, oldest first.
  size_t queued_begin_ = 0;
  struct Handover {
    uint64_t waiter;
    ServerConnection& server;
  };
  std::deque<Handover> handovers_;  // The one in front is being made.
};

}  // namespace fairlead::proxy
