// The control thread: watches the clusters, loads the catalogs, and passes what it learns on to the
// workers.
//
// One loop of its own, so that a thousand clients cannot delay a probe. Workers reach it through
// ControlMail, from any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/snapshot_gate.h"
#include "proxy/catalog_loader.h"
#include "proxy/monitor.h"
#include "proxy/patroni_watch.h"
#include "proxy/shared.h"
#include "proxy/worker.h"

namespace fairlead::proxy {

class Control final : public ControlMail {
 public:
  /// `workers` must outlive it; the list does not change.
  Control(SettingsPtr settings, PoolRegistry& pools,
          const std::vector<std::unique_ptr<Worker>>& workers);
  ~Control();

  void start();
  /// Ends all probes and the thread.
  void stop();
  /// After a reload: the lists of nodes, and of Patroni's addresses, and the certificates that are
  /// to be trusted. From any thread.
  void set_settings(SettingsPtr settings);

  // ControlMail, from any thread.
  void report_trouble(const std::string& cluster, core::NodeIndex node, std::string why) override;
  void want_catalog(const std::string& cluster, const std::string& database) override;
  void catalog_changed(const std::string& cluster, const std::string& database) override;
  void catalog_doubted(const std::string& cluster, const std::string& database) override;
  void want_positions(const std::string& cluster) override;

  /// The last snapshot of a cluster; null before the first. From any thread.
  std::shared_ptr<const core::ClusterSnapshot> snapshot(const std::string& cluster) const;

 private:
  struct Watched {
    std::unique_ptr<ClusterMonitor> monitor;
    std::unique_ptr<CatalogLoader> catalogs;
    std::unique_ptr<PatroniWatch> patroni;  // Null: the nodes are those of the configuration.
    core::SnapshotGate gate{0};
    std::shared_ptr<const core::ClusterSnapshot> latest;  // Guarded by latest_mutex_.
  };

  void watch_cluster(const ClusterSettings& cluster, PoolRegistry& pools);
  void on_judgement(const std::string& cluster, const patroni::Judgement& judgement);
  ServerEndpoint endpoint_of(const std::string& cluster, const core::NodeStatus& node) const;
  void on_decided(const std::string& cluster,
                  std::shared_ptr<const core::ClusterSnapshot> snapshot);
  void publish(const std::string& cluster, const core::SnapshotGate::Publication& publication);
  void on_taken(const std::string& cluster, size_t worker, uint64_t number);
  void publish_catalog(const std::string& cluster, const std::string& database,
                       std::shared_ptr<const sql::FunctionCatalog> catalog);
  net::Task<void> end_all();

  SettingsPtr settings_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  net::Loop loop_;
  std::map<std::string, Watched, std::less<>> clusters_;
  // libstdc++ 12's atomic<shared_ptr> has a data race of its own between load and store.
  mutable std::mutex latest_mutex_;
  std::thread thread_;
};

}  // namespace fairlead::proxy
