// A cluster that a command has opened to change it: locked, and settled if an earlier operation was
// interrupted.
//
// An operation is recorded before its first step and forgotten with its last. When it fails or is
// stopped, it is given up: everything goes back to where it was, and a server that does not start
// again is told of. When it has passed a step that cannot be taken back, or the way back fails too,
// its record stays, and the next open() settles it. Blocks its thread. One operation at a time.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "cluster/cluster.h"
#include "cluster/dir_lock.h"
#include "cluster/os_user.h"
#include "cluster/plan.h"
#include "cluster/progress.h"
#include "cluster/step_runner.h"

namespace fairlead::cluster {

class OpenCluster {
 public:
  /// Says through `progress` what it settles. Both must outlive the object.
  static Result<OpenCluster> open(const std::string& dir, ProgressSink& progress,
                                  const StopFlag& stop);

  /// For --dry-run: no lock, nothing is settled, and nothing may be changed. An operation that is
  /// at work or was interrupted is an Error.
  static Result<OpenCluster> look(const std::string& dir);

  const ClusterState& state() const { return state_; }
  /// A fresh look at the files.
  Cluster cluster() const { return cluster_of(state_); }
  const OsUser& user() const { return user_; }
  int lock_fd() const { return lock_ ? lock_->fd() : -1; }

  /// The one member whose data directory is a primary's.
  Result<size_t> primary() const;
  /// Fails with the names that there are.
  Result<size_t> find(const std::string& node) const;

  /// In the role that its files give it. Fails when it is not up within `patience`, and may come up
  /// later.
  Result<void> start_node(size_t node,
                          std::chrono::milliseconds patience = std::chrono::seconds(60));
  /// Records whether a command has stopped the cluster.
  Result<void> set_stopped(bool stopped);

  /// begin(), carry_on().
  Result<void> run(ClusterState next, Operation operation);

  /// Records the operation. `next` is the state as it will be but for what its steps change: a new
  /// rule, or one node more, as a joining one, whose port 0 becomes a free one.
  Result<void> begin(ClusterState next, Operation operation);
  /// Another way when a step fails, instead of giving up.
  using Otherwise = std::function<std::optional<Plan>(const Step&, const Error&)>;
  /// Carries out the steps that are left. Behind the last one the operation is over, unless it is
  /// open-ended.
  Result<void> carry_on(const Otherwise& otherwise = [](const Step&, const Error&) {
    return std::optional<Plan>();
  });
  /// Adds the rest of an open-ended operation, which then has an end.
  Result<void> extend(const Plan& rest);
  /// Takes back what was done, and says so in the error that is returned.
  Error give_up(Error why);

 private:
  OpenCluster(ClusterState state, std::optional<DirLock> lock, OsUser user, ProgressSink& progress,
              const StopFlag& stop)
      : state_(std::move(state)),
        lock_(std::move(lock)),
        user_(std::move(user)),
        progress_(&progress),
        stop_(&stop) {}

  /// Puts another plan in the place of the one that is at work, and begins with that.
  Result<void> replace(const Plan& plan);
  Result<void> settle();
  Result<void> take_up_again(StepRunner& runner);
  Result<void> take_back_all();
  Result<void> record();

  ClusterState state_;
  std::optional<DirLock> lock_;
  OsUser user_;
  ProgressSink* progress_;
  const StopFlag* stop_;
};

}  // namespace fairlead::cluster
