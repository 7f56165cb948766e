// A real primary with replicas, for integration tests: made once per test process, destroyed when
// the process ends, however it ends.
//
// Thread-safe for connecting; one thread at a time for what changes nodes. Tests that break a node
// call heal() afterwards when they share the cluster.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "cluster/cluster.h"
#include "cluster/spec.h"
#include "testing/reaper.h"
#include "testing/temp_dir.h"

namespace fairlead::test {

class TestCluster {
 public:
  /// The process's cluster with so many replicas, made at the first call (about two seconds).
  /// Aborts with the reason when it cannot be made: no test of the process could run.
  static TestCluster& shared(int replicas = 2);

  /// A cluster of one's own. `change` may set anything but the folder.
  explicit TestCluster(int replicas, const std::function<void(cluster::ClusterSpec&)>& change = {});
  ~TestCluster();
  TestCluster(const TestCluster&) = delete;
  TestCluster& operator=(const TestCluster&) = delete;

  const cluster::Cluster& cluster() const { return cluster_; }
  const std::string& dir() const { return cluster_.state.spec.dir; }
  /// 0 was made as the primary, 1 and up as replicas.
  const cluster::Node& node(size_t index) const { return cluster_.nodes.at(index); }
  /// Where the application's user connects to a node.
  cluster::Endpoint app(size_t index = 0) const { return cluster_.as_application(node(index)); }
  cluster::Endpoint superuser(size_t index = 0) const { return cluster_.as_superuser(node(index)); }

  /// kill -9 of the server and all its backends, as a machine that loses power; returns when they
  /// are gone.
  void kill(size_t index);
  /// SIGSTOP, SIGCONT to the server and all its backends: a node that hangs, and goes on.
  void freeze(size_t index);
  void thaw(size_t index);
  /// A fast shutdown; returns when the server has ended.
  void stop(size_t index);
  /// Returns when the node accepts connections.
  void start(size_t index);
  void restart(size_t index) { stop(index), start(index); }
  bool is_running(size_t index) const;

  /// Stops and continues the replay of WAL on a replica, which still receives it.
  void pause_replay(size_t index);
  void resume_replay(size_t index);
  /// Waits until every replica has replayed what the primary has written until now.
  void await_replay(std::chrono::milliseconds timeout = std::chrono::seconds(20));

  /// Thaws, starts and unpauses every node and waits until all replicas stream.
  void heal();

 private:
  TempDir parent_;
  cluster::Cluster cluster_;
  std::unique_ptr<Reaper> reaper_;
};

}  // namespace fairlead::test
