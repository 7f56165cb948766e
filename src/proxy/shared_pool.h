// What all workers share of one pool: its account, behind a mutex, and how to open a server for it.
//
// The account is core/pool_queue.h; the servers themselves belong to the workers (pool.h). The
// mutex is held for the length of one call of the account, never across input or output.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/database_activity.h"
#include "core/node_index.h"
#include "core/pool_queue.h"
#include "proxy/server_login.h"

namespace fairlead::proxy {

/// Whose servers they are. A worker has a tenant for each of these that it has met: two names for
/// one database are two tenants, and so is a name that a reload gave another database or cluster.
struct TenantKey {
  std::string name;  // Of the database, as clients ask for it.
  std::string user;
  std::string cluster;
  std::string database;  // As on the server.

  auto operator<=>(const TenantKey&) const = default;
};

/// Servers of one node, database and user (F14): never shared with another user's clients (C6).
struct PoolKey {
  core::NodeIndex node{};
  TenantKey tenant;

  auto operator<=>(const PoolKey&) const = default;
};

class SharedPool {
 public:
  SharedPool(PoolKey key, uint16_t workers, core::PoolLimits limits,
             std::shared_ptr<std::atomic<uint32_t>> node_in_use)
      : key_(std::move(key)), queue_(workers, limits), node_in_use_(std::move(node_in_use)) {}

  const PoolKey& key() const { return key_; }

  /// Calls `use(queue)` with the account locked.
  template <class Use>
  auto with_queue(Use use) {
    const std::lock_guard lock(mutex_);
    return use(queue_);
  }

  /// Servers that were opened up to then are lent to nobody any more.
  void distrust(Time opened_until) { distrusted_until_ = opened_until.time_since_epoch().count(); }
  Time distrusted_until() const { return Time{Duration{distrusted_until_}}; }

  /// Servers of the pool's node that clients hold now, over all its pools: what kLeastBusy
  /// balances.
  void count_lease(int change) {
    node_in_use_->fetch_add(static_cast<uint32_t>(change), std::memory_order_relaxed);
  }

 private:
  const PoolKey key_;
  std::mutex mutex_;
  core::PoolQueue queue_;
  std::atomic<int64_t> distrusted_until_{0};  // In microseconds of the loops' clock.
  std::shared_ptr<std::atomic<uint32_t>> node_in_use_;
};

/// All pools of the process, by key. Any thread.
class PoolRegistry {
 public:
  explicit PoolRegistry(uint16_t workers) : workers_(workers) {}

  std::shared_ptr<SharedPool> find_or_add(const PoolKey& key, core::PoolLimits limits);
  /// Forgets the pools that no worker has a share of any more, and the databases that nothing is
  /// known about.
  void forget_unused();
  /// Whether anybody has a server of that node, or opens one.
  bool has_servers_of(const std::string& cluster, core::NodeIndex node);
  /// Leases of that node now.
  std::shared_ptr<std::atomic<uint32_t>> in_use_of(const std::string& cluster,
                                                   core::NodeIndex node);
  std::shared_ptr<core::DatabaseActivity> activity_of(const std::string& cluster,
                                                      const std::string& database);
  /// Calls `visit(pool)` for each.
  template <class Visit>
  void for_each(Visit visit) {
    const std::lock_guard lock(mutex_);
    for (auto& [key, pool] : pools_) visit(*pool);
  }

 private:
  const uint16_t workers_;
  std::mutex mutex_;
  std::map<PoolKey, std::shared_ptr<SharedPool>> pools_;
  std::map<std::pair<std::string, core::NodeIndex>, std::shared_ptr<std::atomic<uint32_t>>> in_use_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<core::DatabaseActivity>>
      activities_;
};

}  // namespace fairlead::proxy
