// One thread: its loop, its clients, its part of every pool.
//
// Owns everything that lives on the thread. Other threads reach it only through post().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "console/observations.h"
#include "console/views.h"
#include "core/open_files.h"
#include "proxy/awaited_report.h"
#include "proxy/client_login.h"
#include "proxy/client_session.h"
#include "proxy/console_session.h"
#include "proxy/passthrough.h"
#include "proxy/shared.h"
#include "proxy/tenant.h"
#include "proxy/worker_stats.h"
#include "sql/shape_cache.h"

namespace fairlead::proxy {

class Worker final : public PoolMail {
 public:
  Worker(core::WorkerId id, Shared& shared, SettingsPtr settings,
         const std::vector<std::unique_ptr<Worker>>& workers);
  ~Worker();

  /// Runs the loop until stop() has ended everything. On the worker's own thread.
  void run();

  // From any thread.
  template <class Work>
  void post(Work work) {
    loop_.post(std::move(work));
  }
  void post_to_pool(core::WorkerId worker, std::shared_ptr<SharedPool> pool,
                    std::move_only_function<void(Pool&)> work) override;

  // On the worker's thread, from posted work.
  void listen_on(net::Acceptor acceptor, core::Port port);
  void set_settings(SettingsPtr settings);
  void set_snapshot(const std::string& cluster,
                    std::shared_ptr<const core::ClusterSnapshot> snapshot);
  void set_catalog(const std::string& cluster, const std::string& database,
                   std::shared_ptr<const sql::FunctionCatalog> catalog);
  /// No new clients; idle ones end, and those that are logging in.
  void drain();
  /// Ends all clients and servers, then the loop.
  void stop();
  /// A copy of what was counted, with the clients and statements of now.
  WorkerStats stats() const;
  /// Its part of what a view of the console shows.
  console::Report report(console::View view) const;

  // For sessions.
  net::Loop& loop() { return loop_; }
  core::WorkerId id() const { return id_; }
  Shared& shared() { return shared_; }
  const Settings& settings() const { return *settings_; }
  sql::ShapeCache& shapes() { return shapes_; }
  core::StatementRegistry& statements() { return statements_; }
  WorkerStats& counters() { return stats_; }
  core::RequestPlanner& planner() { return planner_; }
  console::Observations& observations() { return observations_; }
  /// Asks every worker; the answer, and `on_report`, come later on this thread.
  std::shared_ptr<AwaitedReport> gather(console::View view, std::function<void()> on_report);

 private:
  net::Task<void> accept(net::Acceptor& acceptor, core::Port port);
  net::Task<void> serve(net::Socket socket, core::Port port);
  net::Task<std::optional<net::Task<void>>> log_in(net::Stream& stream, core::Port port,
                                                   uint32_t before);
  core::RoomForClient room_for(const net::Stream& stream, uint32_t before) const;
  Error too_many_clients(uint32_t before) const;
  net::Task<void> serve_client(net::Stream& stream, ClientIdentity identity, core::Port port);
  net::Task<void> serve_replication(net::Stream& stream, Tenant& its_tenant,
                                    ClientIdentity identity);
  net::Task<void> serve_session(Tenant& its_tenant, core::SessionSlot slot,
                                std::unique_ptr<ClientSession> session, std::string early);
  net::Task<void> serve_console(net::Stream& stream, ClientIdentity identity);
  void leave_node(const std::string& cluster, core::NodeIndex node);
  void end_epoch(const std::string& cluster);
  net::Task<void> tick();
  net::Task<void> end_all();
  Tenant& tenant(const TenantKey& key);
  /// What is in force for a database: perhaps null, perhaps that it is not loaded.
  std::shared_ptr<const sql::FunctionCatalog> catalog(const std::string& cluster,
                                                      const std::string& database) const;
  core::SessionSlot add_session(ClientSession* session);
  void remove_session(core::SessionSlot slot);
  core::CancelKey make_key(core::SessionSlot slot, const ClientIdentity& identity) const;
  net::Task<void> forward_cancel(CancelWish wish);
  void forget_unused_tenants();

  // Deadlines are looked at this often: their precision, against the cost of looking.
  static constexpr Duration kTickInterval = std::chrono::milliseconds(100);

  const core::WorkerId id_;
  Shared& shared_;
  SettingsPtr settings_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  net::Loop loop_;
  net::Spawner spawner_;
  sql::ShapeCache shapes_;
  core::StatementRegistry statements_;
  core::RequestPlanner planner_;
  WorkerStats stats_;
  console::Observations observations_;
  std::map<std::string, std::shared_ptr<const core::ClusterSnapshot>, std::less<>> snapshots_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const sql::FunctionCatalog>>
      catalogs_;
  std::map<TenantKey, std::unique_ptr<Tenant>> tenants_;
  auth::PlainVerifiers plain_verifiers_;
  std::vector<std::unique_ptr<net::Acceptor>> acceptors_;
  std::vector<ClientSession*> sessions_;  // By slot; null: free.
  std::vector<uint32_t> free_slots_;
  std::unordered_set<net::Stream*> logging_in_;
  std::unordered_set<Passthrough*> passing_through_;
  std::unordered_set<ConsoleSession*> consoles_;
  bool draining_ = false;
  bool stopping_ = false;
};

}  // namespace fairlead::proxy
