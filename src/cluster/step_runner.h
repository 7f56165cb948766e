// Carries out the steps of a plan on this machine. Decides nothing: what comes after what is
// plan.h, and what was done is recorded by commands.cc.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cluster/cluster.h"
#include "cluster/os_user.h"
#include "cluster/plan.h"
#include "cluster/ports.h"
#include "cluster/progress.h"
#include "cluster/subprocess.h"

namespace fairlead::cluster {

class StepRunner {
 public:
  /// `state` may change: a port that somebody else took is replaced and written to the state file.
  /// `lock_fd` is inherited by tools, see DirLock. All must outlive the runner.
  StepRunner(ClusterState& state, const OsUser& user, int lock_fd, const StopFlag& stop);

  /// Takes ports from the system for the nodes that have none, and holds all ports of nodes that do
  /// not run yet until the servers have them.
  Result<void> reserve_ports();

  /// On an Error the step may be half done: undo() takes it back.
  Result<void> carry_out(const Step& step);
  Result<void> undo(const Step& step);

 private:
  Result<void> make_folders();
  Result<void> initialize(const NodeState& node);
  Result<void> configure(const NodeState& node);
  Result<void> start(size_t node);
  Result<void> create_roles();
  Result<void> clone(const NodeState& node);
  Result<void> await_streaming(const NodeState& node);
  Result<void> drop_slot(const NodeState& node);
  Result<void> await_running(const NodeState& node);

  enum class StartFailure { kPortTaken, kOther };
  struct FailedStart {
    StartFailure why;
    Error error;
  };
  /// Nothing: it runs.
  std::optional<FailedStart> try_start(const NodeState& node);
  bool may_change_port(size_t node) const;
  Result<void> change_port(size_t node);

  Result<SqlConnection> connect(const NodeState& node) const;
  Command tool(std::vector<std::string> arguments) const;

  ClusterState& state_;
  Layout layout_;
  const OsUser& user_;
  int lock_fd_;
  const StopFlag& stop_;
  std::vector<std::optional<PortReservation>> ports_;  // Per node, while it does not run.
};

}  // namespace fairlead::cluster
