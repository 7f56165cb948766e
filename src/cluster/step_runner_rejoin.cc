// The steps that bring a node back that parted from the primary.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "cluster/files.h"
#include "cluster/postmaster.h"
#include "cluster/step_runner.h"
#include "cluster/tool_commands.h"

namespace fairlead::cluster {

namespace {

/// pg_rewind copies what has changed since; nobody waits longer than this without a sign.
constexpr std::chrono::hours kRewindDeadline{6};

}  // namespace

Result<void> StepRunner::rewind(const Step& step) {
  const NodeState& node = state_.nodes[step.node];
  const std::string data = layout_.data_dir(node.name);
  if (auto there = connect_to_primary(step); !there) return std::unexpected(there.error());
  // Right after a promotion the control file still names the old timeline, and pg_rewind (before
  // 16) believes it.
  if (auto done = checkpoint(state_.nodes[step.primary]); !done) return done;
  forget_dead_postmaster(data, layout_.socket(node.port));
  // A crashed target is recovered first, by a single-user server, which refuses to be a standby.
  const std::string signal_file = data + "/standby.signal";
  unlink(signal_file.c_str());
  Command command = tool(rewind_arguments(state_, state_.nodes[step.primary], node));
  command.environment = {"PGPASSWORD=" + state_.secrets.superuser};
  command.deadline = kRewindDeadline;
  const auto ending = run_good(command, stop_);
  // Fenced again, whatever has become of it.
  auto fenced = write_file(signal_file, "", 0600, &user_, durability_of(state_.spec));
  return ending ? fenced : Result<void>(std::unexpected(ending.error()));
}

Result<void> StepRunner::drop_own_slots(const NodeState& node) {
  // One that could not follow was ended: it comes back by a rejoin, which ends with this step.
  if (!find_postmaster(layout_.data_dir(node.name))) return {};
  auto sql = connect(node);
  if (!sql) return std::unexpected(sql.error());
  return done_or_error(
      sql->query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE "
                 "slot_type = 'physical' AND NOT active"));
}

}  // namespace fairlead::cluster
