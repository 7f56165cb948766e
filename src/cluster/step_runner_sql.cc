// The steps that talk to nodes[0]: roles and database, slots, streaming.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "cluster/files.h"
#include "cluster/step_runner.h"
#include "cluster/tool_commands.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kSlice{20};
constexpr std::chrono::seconds kStreamingDeadline{60};
/// "fairlead" in bytes: our own advisory lock.
constexpr const char* kSetupLock = "SELECT pg_advisory_lock(7377570978826807652)";
/// A WAL sender sees within this that its pg_basebackup is gone.
constexpr std::chrono::seconds kSlotDeadline{15};

/// Makes a role or, when it is there already, gives it the same rights and password again.
Result<void> make_role(SqlConnection& sql, const std::string& name, const std::string& password,
                       std::string_view attributes) {
  auto verifier = sql.verifier(name, password);
  if (!verifier) return std::unexpected(verifier.error());
  auto there = sql.query(fmt::format("SELECT FROM pg_roles WHERE rolname = {}", sql.literal(name)));
  if (!there) return std::unexpected(there.error());
  return done_or_error(sql.query(
      fmt::format("{} ROLE {} LOGIN {} PASSWORD {}", there->rows.empty() ? "CREATE" : "ALTER",
                  sql.identifier(name), attributes, sql.literal(*verifier))));
}

}  // namespace

Result<SqlConnection> StepRunner::connect(const NodeState& node) const {
  return SqlConnection::open(Endpoint{layout_.socket_dir(), node.port, state_.spec.superuser,
                                      state_.secrets.superuser, "postgres"});
}

Result<void> StepRunner::create_roles() {
  const ClusterSpec& spec = state_.spec;
  auto sql = connect(state_.nodes.front());
  if (!sql) return std::unexpected(sql.error());
  // The server goes on with the statement of a command that was killed: its session ends before
  // ours begins.
  if (auto locked = sql->query(kSetupLock); !locked) return std::unexpected(locked.error());
  if (auto made = make_role(*sql, spec.monitor_user, state_.secrets.monitor, ""); !made)
    return made;
  if (auto made = make_role(*sql, spec.replication_user, state_.secrets.replication, "REPLICATION");
      !made)
    return made;
  if (!spec.application_user.empty())
    if (auto made = make_role(*sql, spec.application_user, state_.secrets.application, ""); !made)
      return made;
  auto granted =
      sql->query(fmt::format("GRANT pg_monitor TO {}", sql->identifier(spec.monitor_user)));
  if (!granted) return std::unexpected(granted.error());

  auto there = sql->query(
      fmt::format("SELECT FROM pg_database WHERE datname = {}", sql->literal(spec.database)));
  if (!there) return std::unexpected(there.error());
  if (!there->rows.empty()) return {};
  const std::string& owner = spec.application_user.empty() ? spec.superuser : spec.application_user;
  return done_or_error(sql->query(fmt::format(
      "CREATE DATABASE {} OWNER {}", sql->identifier(spec.database), sql->identifier(owner))));
}

Result<void> StepRunner::drop_slot(const NodeState& node) {
  auto sql = connect(state_.nodes.front());
  if (!sql) return std::unexpected(sql.error());
  const std::string filter =
      fmt::format("FROM pg_replication_slots WHERE slot_name = {}", sql->literal(slot_name(node)));
  const auto deadline = Clock::now() + kSlotDeadline;
  for (;;) {
    auto dropped = sql->query(
        fmt::format("SELECT pg_drop_replication_slot(slot_name) {} AND NOT active", filter));
    if (!dropped) return std::unexpected(dropped.error());
    auto left = sql->query(fmt::format("SELECT {}", filter));
    if (!left) return std::unexpected(left.error());
    if (left->rows.empty()) return {};
    if (Clock::now() >= deadline)
      return fail(ErrorCode::kIo,
                  fmt::format("the replication slot {} stays in use", slot_name(node)), {},
                  "end the process that uses it (pg_replication_slots.active_pid), then run the "
                  "command again");
    std::this_thread::sleep_for(kSlice);
  }
}

Result<void> StepRunner::await_streaming(const NodeState& node) {
  auto sql = connect(state_.nodes.front());
  if (!sql) return std::unexpected(sql.error());
  const std::string question = fmt::format(
      "SELECT FROM pg_stat_replication WHERE application_name = {} AND state = 'streaming'",
      sql->literal(node.name));
  const auto deadline = Clock::now() + kStreamingDeadline;
  for (;;) {
    auto streaming = sql->query(question);
    if (!streaming) return std::unexpected(streaming.error());
    if (!streaming->rows.empty()) return {};
    if (stop_.load())
      return fail(ErrorCode::kQueryCanceled, "stopped on request", {},
                  "run the command again to go on");
    if (Clock::now() >= deadline)
      return fail(ErrorCode::kCannotConnectNow, fmt::format("{} does not stream", node.name),
                  tail(read_log_end(layout_.log_file(node.name)), 8),
                  fmt::format("its log is {}", layout_.log_file(node.name)));
    std::this_thread::sleep_for(kSlice);
  }
}

}  // namespace fairlead::cluster
