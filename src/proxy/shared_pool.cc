#include "proxy/shared_pool.h"

#include <algorithm>

namespace fairlead::proxy {

std::shared_ptr<SharedPool> PoolRegistry::find_or_add(const PoolKey& key, core::PoolLimits limits) {
  auto in_use = in_use_of(key.tenant.cluster, key.node);
  const std::lock_guard lock(mutex_);
  auto& pool = pools_[key];
  if (!pool) pool = std::make_shared<SharedPool>(key, workers_, limits, std::move(in_use));
  return pool;
}

void PoolRegistry::forget_unused() {
  const std::lock_guard lock(mutex_);
  std::erase_if(pools_, [](const auto& pool) { return pool.second.use_count() == 1; });
  std::erase_if(activities_, [](const auto& known) {
    const core::DatabaseActivity& activity = *known.second;
    return known.second.use_count() == 1 && activity.last_write() == Time{} &&
           activity.catalog_changes() == 0;
  });
}

bool PoolRegistry::has_servers_of(const std::string& cluster, core::NodeIndex node) {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(pools_, [&](const auto& entry) {
    const auto& [key, pool] = entry;
    if (key.node != node || key.tenant.cluster != cluster) return false;
    const core::PoolCounts counts =
        pool->with_queue([](core::PoolQueue& queue) { return queue.counts(Time{}); });
    return counts.busy + counts.idle + counts.opening + counts.moving + counts.closing +
               counts.waiting >
           0;
  });
}

std::shared_ptr<std::atomic<uint32_t>> PoolRegistry::in_use_of(const std::string& cluster,
                                                               core::NodeIndex node) {
  const std::lock_guard lock(mutex_);
  auto& count = in_use_[{cluster, node}];
  if (!count) count = std::make_shared<std::atomic<uint32_t>>(0);
  return count;
}

std::shared_ptr<core::DatabaseActivity> PoolRegistry::activity_of(const std::string& cluster,
                                                                  const std::string& database) {
  const std::lock_guard lock(mutex_);
  auto& activity = activities_[{cluster, database}];
  if (!activity) activity = std::make_shared<core::DatabaseActivity>();
  return activity;
}

}  // namespace fairlead::proxy
