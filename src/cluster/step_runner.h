// Carries out the steps of a plan on this machine. Decides nothing: what comes after what is
// plan.h, and what was done is recorded by commands.cc.
#pragma once

#include <chrono>
#include <functional>
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
  Result<void> reserve_port(size_t node);

  /// Hears, while a long step is carried out, how many bytes of how many are done.
  using Listener = std::function<void(uint64_t done, uint64_t total)>;
  void tell(Listener listener) { listener_ = std::move(listener); }

  /// On an Error the step may be half done: undo() takes it back, so that it can be done again.
  /// Steps that change the record change `state` and leave the writing to the caller.
  Result<void> carry_out(const Step& step);
  Result<void> undo(const Step& step) { return take_back(undo_of(step.kind), step); }
  /// For an operation that is given up: `state` is restored already, and `primary` is whom the
  /// nodes followed before.
  Result<void> reverse(const Step& step, size_t primary);

  /// A server that is told to start and does not accept connections within this is an Error, and
  /// may still be on its way up.
  void set_start_patience(std::chrono::milliseconds patience) { start_patience_ = patience; }

 private:
  Result<void> make_folders();
  Result<void> initialize(const NodeState& node);
  Result<void> take_back(UndoKind undo, const Step& step);
  Result<void> configure(const Step& step);
  Result<void> reconfigure(const Step& step);
  Result<void> write_conf(const NodeState& node, const NodeState* primary);
  /// Until the running server has read its files; nothing when it does not run.
  Result<void> reload(const NodeState& node);
  Result<void> start(const Step& step);
  Result<void> create_roles();
  Result<void> clone(const Step& step);
  Result<void> await_streaming(const Step& step);
  Result<void> await_sync(const NodeState& primary);
  Result<void> make_slot(const Step& step);
  /// Calls `while_in_use` as long as somebody uses the slot.
  Result<void> drop_slot(
      const Step& step,
      const std::function<Result<void>()>& while_in_use = [] { return Result<void>(); });
  Result<void> end_node(const NodeState& node);
  Result<void> fence(const NodeState& node);
  Result<void> unfence(const NodeState& node);
  Result<void> detach(const NodeState& node);
  Result<void> promote(const Step& step);
  Result<void> await_follower(const Step& step);
  Result<void> await_near(const Step& step);
  Result<void> checkpoint(const NodeState& node);
  Result<void> hold(const NodeState& node);
  Result<void> await_quiet(const NodeState& node);
  Result<void> await_complete(const Step& step);
  Result<void> prove_writes(const Step& step);
  std::chrono::milliseconds patience() const;
  Result<void> rewind(const Step& step);
  Result<void> drop_own_slots(const NodeState& node);
  Result<void> await_no_receiver(SqlConnection& sql, const NodeState& node);
  Result<void> await_streaming(const Step& step, std::chrono::milliseconds patience);
  /// `step.primary`, which is started when it does not run.
  Result<SqlConnection> connect_to_primary(const Step& step);
  Result<void> await_running(const NodeState& node);
  std::unexpected<Error> stopped() const;

  enum class StartFailure { kPortTaken, kOther };
  struct FailedStart {
    StartFailure why;
    Error error;
  };
  /// Nothing: it runs.
  std::optional<FailedStart> try_start(const NodeState& node);
  bool may_change_port(size_t node) const;
  Result<void> change_port(const Step& step);

  Result<SqlConnection> connect(const NodeState& node) const;
  Command tool(std::vector<std::string> arguments) const;

  ClusterState& state_;
  Layout layout_;
  const OsUser& user_;
  int lock_fd_;
  const StopFlag& stop_;
  Listener listener_;
  /// After a crash a node replays WAL before it answers.
  std::chrono::milliseconds start_patience_ = std::chrono::seconds(60);
  std::vector<std::optional<PortReservation>> ports_;  // Per node, while it does not run.
};

}  // namespace fairlead::cluster
