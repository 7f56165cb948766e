// Where the demonstration lives: a temporary folder with a throw-away cluster, a users file and the
// proxy's configuration. All of it is gone when the object is, however far it came.
//
// After kill -9 the folder and its servers stay; the next demonstration of the same user finds them
// by their lock, which nobody holds any more, and removes them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "cluster/cluster.h"
#include "cluster/fd.h"
#include "cluster/progress.h"
#include "config/config.h"

namespace fairlead::app {

class DemoPlace {
 public:
  static Result<std::unique_ptr<DemoPlace>> make();
  /// remove(), with an error on standard error.
  ~DemoPlace();
  DemoPlace(const DemoPlace&) = delete;
  DemoPlace& operator=(const DemoPlace&) = delete;

  /// The cluster and its sample data. `sync`: how many replicas a commit waits for.
  Result<void> create_cluster(int replicas, cluster::SyncRule sync, cluster::ProgressSink& progress,
                              const cluster::StopFlag& stop);
  /// Writes users.txt and fairlead.toml, and reads the latter. Ports 6432 to 6434 when all of them
  /// are free, else what the system gives.
  Result<std::shared_ptr<const config::Config>> write_config();

  /// The requests whose posts are there (demo_requests.h), as the server at `port` of ours says.
  Result<std::vector<uint64_t>> find_posts(uint16_t port) const;

  Result<void> remove();

  const std::string& dir() const { return dir_; }
  std::string cluster_dir() const { return dir_ + "/cluster"; }
  std::string config_file() const { return dir_ + "/fairlead.toml"; }
  const cluster::Cluster& cluster() const { return cluster_; }
  /// The application's login, on the proxy's port.
  cluster::Endpoint endpoint(uint16_t port) const;

 private:
  DemoPlace(std::string dir, cluster::Fd lock) : dir_(std::move(dir)), lock_(std::move(lock)) {}

  std::string dir_;
  cluster::Fd lock_;
  cluster::Cluster cluster_;
  bool removed_ = false;
};

/// Removes what demonstrations that were killed have left. Best effort; says what it removed.
void remove_abandoned_demos();

}  // namespace fairlead::app
