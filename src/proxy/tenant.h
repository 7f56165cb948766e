// One worker's view of one (database, user): its pools, what a choice among nodes is made
// of, and what clients are told at login.
//
// All sessions of the same database and user on a worker share it. Worker's thread only.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "auth/derived_keys.h"
#include "core/balance.h"
#include "core/database_activity.h"
#include "core/known_statements.h"
#include "core/lease.h"
#include "core/node_choice.h"
#include "core/observation.h"
#include "core/route.h"
#include "core/session_state.h"
#include "proxy/pool.h"
#include "proxy/positions_queue.h"
#include "proxy/shared.h"

namespace fairlead::proxy {

class Tenant {
 public:
  /// Whoever holds one can go on using the tenant.
  class Use {
   public:
    explicit Use(Tenant& tenant) : tenant_(tenant) { ++tenant_.uses_; }
    ~Use() { --tenant_.uses_; }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    Tenant& tenant_;
  };

  Tenant(net::Loop& loop, core::WorkerId worker, PoolMail& mail, Shared& shared,
         SettingsPtr settings, TenantKey key);

  /// Where that user's sessions belong that ask for the database `name` from now on; nullopt: it is
  /// not configured.
  static std::optional<TenantKey> key_for(const Settings& settings, std::string name,
                                          std::string user);

  /// Of the database, for this user.
  const config::Database& config() const { return config_; }
  /// transaction_reads = "until_write" (B31).
  bool reads_until_write() const {
    return config_.transaction_reads == config::TransactionReads::kUntilWrite;
  }
  const std::string& name() const { return key_.name; }  // As clients call it.
  const std::string& cluster() const { return key_.cluster; }
  const std::string& database() const { return key_.database; }  // As on the server.
  const std::string& user() const { return key_.user; }

  /// What a client's login taught about logging in as this user (F10). Pools use it from then on.
  void learn(auth::ServerCredentials credentials);
  void set_settings(SettingsPtr settings);

  // What the control thread has found out; the worker passes it on.
  void set_snapshot(std::shared_ptr<const core::ClusterSnapshot> snapshot);
  void set_catalog(std::shared_ptr<const sql::FunctionCatalog> catalog);
  /// Empty before the cluster was looked at.
  const core::ClusterSnapshot& snapshot() const { return *snapshot_; }
  /// Null: not loaded yet.
  const sql::FunctionCatalog* catalog() const { return catalog_.get(); }
  /// For deciding: what was asked for before the last DDL of anybody proves nothing (A42).
  const sql::FunctionCatalog* current_catalog() const {
    return activity_->is_current(catalog_.get()) ? catalog_.get()
                                                 : sql::FunctionCatalog::not_loaded().get();
  }

  core::KnownStatements& known_statements() { return known_; }

  /// A transaction that may have written is about to be acknowledged to a client (D11).
  void note_write(Time now, const core::WrittenTables& tables) {
    activity_->note_write(now, tables, catalog_.get());
  }

  /// Changes of the catalog by anybody.
  uint64_t catalog_changes() const { return activity_->catalog_changes(); }
  /// Tells the control thread, too.
  void note_catalog_change(Time now, core::CatalogChange change);

  void count_statement(core::NodeIndex node) { ++node_statements_[static_cast<size_t>(node)]; }
  const std::vector<uint64_t>& node_statements() const { return node_statements_; }

  /// Chooses the node for a request that came at `arrived`.
  core::Choice choose(const core::LeaseWish& wish, Time arrived, const core::SessionState& session);

  /// What a replica's server that has served a transaction so far shows of what a read must see
  /// that came at `arrived`.
  core::StillShows still_shows(const core::ServerState& server, const core::Route& route,
                               Time arrived, const core::RequestPlan& reads,
                               const core::SessionState& session);

  /// lost_writes = "error" (E24).
  bool lost_writes_fail() const { return config_.lost_writes == config::LostWrites::kError; }
  bool observes() const { return config_.mode == config::Mode::kObserve; }
  /// What choose() would find for a request that goes to a replica, without choosing.
  core::Foreseen foresee(const core::ObservedRequest& request, Time arrived,
                         const core::SessionState& session);

  /// How long such a read may wait for a replica to be fresh enough.
  Duration patience_of_read(const core::Route& route) const {
    return core::patience_of_read(route, options_, snapshot().takes_writes());
  }

  /// `node` is one of the snapshot.
  Pool& pool(core::NodeIndex node);
  template <class Visit>
  void for_each_pool(Visit visit) {
    for (auto& [node, pool] : pools_) visit(*pool);
  }

  /// Somebody has a server there, or waits for one.
  bool has_clients_at(core::NodeIndex node) const;

  /// Of every pool; those of nodes that are gone are forgotten once they are empty.
  void tick(core::PoolIdleConfig idle, Time now);

  PositionsQueue& positions_queue() { return positions_queue_; }

  /// Nobody uses it, and it has no servers: it can be destroyed. Users may be anybody's invention
  /// (trust), so tenants must not stay for ever.
  bool is_unused() const;

  /// After close_all() of every pool.
  net::Task<void> join();

  /// What servers of this tenant report to a session with these start-up settings; null: not known
  /// yet.
  const core::ReportedParameters* welcome(const core::VariableSet& startup) const;
  void remember_welcome(const core::VariableSet& startup, const core::ReportedParameters& reported);

 private:
  // One entry per combination of start-up settings that clients come with; drivers have a handful.
  static constexpr size_t kWelcomesMax = 64;

  core::ChoiceOptions choice_options() const;
  core::ReadHistory history_of(Time arrived, const core::SessionState& session,
                               const core::RequestPlan* reads) const;
  core::ChoiceView view();
  void want_positions() { shared_.control->want_positions(key_.cluster); }
  PoolOpening opening(core::NodeIndex node) const;
  void use_stored_secret();
  void follow_nodes();

  net::Loop& loop_;
  const core::WorkerId worker_;
  PoolMail& mail_;
  Shared& shared_;
  SettingsPtr settings_;
  const TenantKey key_;
  /// A reload may take the name away, or have it mean another database: new sessions get another
  /// tenant then, and nobody will want servers that are kept ready here.
  bool is_current_ = true;
  config::Database config_;
  auth::ServerCredentials credentials_;
  const std::shared_ptr<auth::DerivedKeys> derived_keys_ = std::make_shared<auth::DerivedKeys>();
  core::KnownStatements known_;
  core::ChoiceOptions options_;
  core::Balancer balancer_;
  std::shared_ptr<const core::ClusterSnapshot> snapshot_ =
      std::make_shared<core::ClusterSnapshot>();
  std::shared_ptr<const sql::FunctionCatalog> catalog_;
  std::vector<uint64_t> node_statements_;  // By node.
  std::shared_ptr<core::DatabaseActivity> activity_;
  std::map<core::NodeIndex, std::unique_ptr<Pool>> pools_;
  std::vector<std::pair<core::VariableSet, core::ReportedParameters>> welcomes_;
  std::vector<std::shared_ptr<std::atomic<uint32_t>>> node_in_use_;
  std::vector<uint32_t> in_use_;  // Scratch for choosing, one element per node.
  std::vector<core::Candidate> candidates_;
  PositionsQueue positions_queue_;
  uint32_t uses_ = 0;
  uint64_t random_ = 0x9E3779B97F4A7C15ULL;  // State of the generator for balance = "random".
};

}  // namespace fairlead::proxy
