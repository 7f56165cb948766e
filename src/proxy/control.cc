#include "proxy/control.h"

namespace fairlead::proxy {

Control::Control(SettingsPtr settings, PoolRegistry& pools,
                 const std::vector<std::unique_ptr<Worker>>& workers)
    : settings_(std::move(settings)), workers_(workers) {
  for (const auto& [name, cluster] : settings_->clusters) watch_cluster(cluster, pools);
}

void Control::watch_cluster(const ClusterSettings& cluster, PoolRegistry& pools) {
  const std::string& name = cluster.name;
  const config::Cluster& config = settings_->config->clusters.at(name);
  Watched& watched = clusters_[name];
  watched.gate = core::SnapshotGate(workers_.size());
  MonitorConfig monitor{
      .nodes = cluster.nodes,
      .login = cluster.monitor,
      .probe_interval = config.probe_interval,
      .probe_timeout = config.probe_timeout,
      .probe_failures = config.probe_failures,
      .topology = {.managed = cluster.patroni.has_value(), .manager_ttl = config.patroni_ttl},
      .is_unused = [&pools, name](core::NodeIndex node) {
        return !pools.has_servers_of(name, node);
      }};
  watched.monitor = std::make_unique<ClusterMonitor>(
      loop_, name, std::move(monitor),
      [this, name](std::shared_ptr<const core::ClusterSnapshot> snapshot) {
        on_decided(name, std::move(snapshot));
      });
  watched.catalogs = std::make_unique<CatalogLoader>(
      loop_, name, cluster.monitor, config::routing_lists(config),
      [this, name](const std::string& database,
                   std::shared_ptr<const sql::FunctionCatalog> catalog) {
        publish_catalog(name, database, std::move(catalog));
      });
  if (!cluster.patroni) return;
  watched.patroni = std::make_unique<PatroniWatch>(
      loop_, name, *cluster.patroni,
      [this, name](const patroni::Judgement& judgement) { on_judgement(name, judgement); });
}

Control::~Control() = default;

void Control::start() {
  thread_ = std::thread([this] {
    for (auto& [name, watched] : clusters_) {
      watched.monitor->start();
      if (watched.patroni) watched.patroni->start();
    }
    loop_.run();
  });
}

void Control::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] { net::start(loop_, end_all()); });
  thread_.join();
}

void Control::set_settings(SettingsPtr settings) {
  loop_.post([this, settings = std::move(settings)]() mutable {
    settings_ = std::move(settings);
    for (const auto& [name, cluster] : settings_->clusters) {
      Watched& watched = clusters_.at(name);
      watched.monitor->set_tls(cluster.tls);
      if (watched.patroni)
        watched.patroni->set_settings(*cluster.patroni);
      else
        watched.monitor->set_nodes(cluster.nodes);
    }
  });
}

/// A list that nobody speaks for any more stays as it was.
void Control::on_judgement(const std::string& cluster, const patroni::Judgement& judgement) {
  const ClusterSettings& settings = settings_->clusters.find(cluster)->second;
  Watched& watched = clusters_.at(cluster);
  std::vector<ServerEndpoint> nodes;
  for (const patroni::ManagedNode& node : judgement.nodes)
    nodes.push_back(settings.endpoint(node.address.host, node.address.port, {}));
  // The list first: whoever is named for the first time is to be asked before anything is decided.
  if (!nodes.empty()) watched.monitor->set_nodes(nodes);
  watched.monitor->set_judgement(judgement);
}

ServerEndpoint Control::endpoint_of(const std::string& cluster,
                                    const core::NodeStatus& node) const {
  return settings_->clusters.find(cluster)->second.endpoint(
      node.host, node.port, settings_->config->proxy.server_connect_timeout);
}

net::Task<void> Control::end_all() {
  for (auto& [name, watched] : clusters_) {
    if (watched.patroni) co_await watched.patroni->stop();
    co_await watched.monitor->stop();
    co_await watched.catalogs->stop();
  }
  loop_.stop();
}

void Control::on_decided(const std::string& cluster,
                         std::shared_ptr<const core::ClusterSnapshot> snapshot) {
  Watched& watched = clusters_.at(cluster);
  {
    const std::lock_guard lock(latest_mutex_);
    watched.latest = snapshot;
  }
  watched.catalogs->set_primary(
      snapshot->primary ? std::optional(endpoint_of(cluster, snapshot->node(*snapshot->primary)))
                        : std::nullopt,
      snapshot->timeline);
  if (watched.patroni) watched.patroni->set_hurry(!snapshot->takes_writes());
  publish(cluster, watched.gate.on_decided(std::move(snapshot)));
  watched.monitor->show_holding(watched.gate.all_hold());
}

/// Workers answer only where the gate wants to know: positions come hundreds of times a second.
void Control::publish(const std::string& cluster,
                      const core::SnapshotGate::Publication& publication) {
  for (size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->post([this, i, cluster, publication] {
      workers_[i]->set_snapshot(cluster, publication.snapshot);
      if (!publication.confirm) return;
      loop_.post([this, i, cluster, number = publication.number] { on_taken(cluster, i, number); });
    });
  }
}

void Control::on_taken(const std::string& cluster, size_t worker, uint64_t number) {
  Watched& watched = clusters_.at(cluster);
  if (watched.gate.on_taken(worker, number)) publish(cluster, watched.gate.on_open());
  watched.monitor->show_holding(watched.gate.all_hold());
}

void Control::publish_catalog(const std::string& cluster, const std::string& database,
                              std::shared_ptr<const sql::FunctionCatalog> catalog) {
  for (const auto& worker : workers_) {
    worker->post([target = worker.get(), cluster, database, catalog] {
      target->set_catalog(cluster, database, catalog);
    });
  }
}

void Control::report_trouble(const std::string& cluster, core::NodeIndex node, std::string why) {
  loop_.post([this, cluster, node, why = std::move(why)] {
    clusters_.at(cluster).monitor->report_trouble(node, why);
  });
}

void Control::want_catalog(const std::string& cluster, const std::string& database) {
  loop_.post([this, cluster, database] { clusters_.at(cluster).catalogs->request(database); });
}

void Control::catalog_changed(const std::string& cluster, const std::string& database) {
  loop_.post([this, cluster, database] { clusters_.at(cluster).catalogs->invalidate(database); });
}

void Control::catalog_doubted(const std::string& cluster, const std::string& database) {
  loop_.post([this, cluster, database] { clusters_.at(cluster).catalogs->doubt(database); });
}

void Control::want_positions(const std::string& cluster) {
  loop_.post([this, cluster] { clusters_.at(cluster).monitor->want_positions(); });
}

std::shared_ptr<const core::ClusterSnapshot> Control::snapshot(const std::string& cluster) const {
  const std::lock_guard lock(latest_mutex_);
  return clusters_.at(cluster).latest;
}

}  // namespace fairlead::proxy
