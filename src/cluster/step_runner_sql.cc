// The steps that talk to servers: roles and database, settings, slots, streaming.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "cluster/files.h"
#include "cluster/polling.h"
#include "cluster/postmaster.h"
#include "cluster/server_files.h"
#include "cluster/step_runner.h"
#include "cluster/tool_commands.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kStreamingDeadline{60};
constexpr std::chrono::seconds kReloadDeadline{10};
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

/// Takes out what ALTER SYSTEM has set of what is ours. Gives the server's time.
Result<std::string> forget_overrides(SqlConnection& sql) {
  const auto found = sql.query(fmt::format(
      "SELECT DISTINCT name FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf' "
      "AND name IN ('{}')",
      fmt::join(kNotForAlterSystem, "', '")));
  if (!found) return std::unexpected(found.error());
  for (const auto& row : found->rows)
    if (auto done = sql.query(fmt::format("ALTER SYSTEM RESET {}", row.front().value_or("")));
        !done)
      return std::unexpected(done.error());
  return sql.value("SELECT clock_timestamp()");
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

Result<SqlConnection> StepRunner::connect_to_primary(const Step& step) {
  if (auto started = start({StepKind::kStart, step.primary}); !started)
    return std::unexpected(started.error());
  return connect(state_.nodes[step.primary]);
}

Result<void> StepRunner::reload(const NodeState& node) {
  const auto server = find_postmaster(layout_.data_dir(node.name));
  if (!server) return {};
  auto sql = connect(node);
  const auto before =
      sql ? forget_overrides(*sql) : Result<std::string>(std::unexpected(sql.error()));
  // By a signal, which also one that hangs takes as soon as it goes on.
  if (kill(server->pid, SIGHUP) != 0 && errno != ESRCH)
    return fail_errno("send a signal to", node.name, errno);
  if (!before) return std::unexpected(before.error());
  // A session that begins later has the postmaster's settings, and the time at which they were
  // read, which stays as it was when a file is wrong.
  const std::string question =
      fmt::format("SELECT pg_conf_load_time() >= {}", sql->literal(*before));
  const auto deadline = Clock::now() + kReloadDeadline;
  for (;;) {
    auto later = connect(node);
    if (!later) return std::unexpected(later.error());
    const auto read = later->value(question);
    if (!read) return std::unexpected(read.error());
    if (*read == "t") return {};
    if (stop_.load()) return stopped();
    if (Clock::now() >= deadline)
      return fail(ErrorCode::kConfig, fmt::format("{} does not take its new settings", node.name),
                  tail(read_log_end(layout_.log_file(node.name)), 8),
                  fmt::format("its log is {}", layout_.log_file(node.name)));
    std::this_thread::sleep_for(kPollInterval);
  }
}

Result<void> StepRunner::make_slot(const Step& step) {
  auto sql = connect_to_primary(step);
  if (!sql) return std::unexpected(sql.error());
  const std::string slot = sql->literal(slot_name(state_.nodes[step.node]));
  // Reserved at once: what was written before the replica comes must not be missed. A slot on a
  // replica is one for the time after its promotion.
  return done_or_error(sql->query(
      fmt::format("SELECT pg_create_physical_replication_slot({0}, true) WHERE NOT EXISTS (SELECT "
                  "FROM pg_replication_slots WHERE slot_name = {0})",
                  slot)));
}

Result<void> StepRunner::drop_slot(const Step& step,
                                   const std::function<Result<void>()>& while_in_use) {
  const NodeState& node = state_.nodes[step.node];
  auto sql = connect_to_primary(step);
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
    if (auto good = while_in_use(); !good) return good;
    if (Clock::now() >= deadline) {
      const auto user = sql->value(fmt::format(
          "SELECT format('process %s, %s since %s, from port %s', pid, state, backend_start, "
          "client_port) FROM pg_stat_activity WHERE pid = (SELECT active_pid {})",
          filter));
      return fail(ErrorCode::kIo,
                  fmt::format("the replication slot {} stays in use", slot_name(node)),
                  user.value_or("its user is gone just now"),
                  "end the process that uses it, then run the command again");
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

Result<void> StepRunner::await_streaming(const Step& step) {
  return await_streaming(step, kStreamingDeadline);
}

Result<void> StepRunner::await_streaming(const Step& step, std::chrono::milliseconds patience) {
  const NodeState& node = state_.nodes[step.node];
  auto sql = connect(state_.nodes[step.primary]);
  if (!sql) return std::unexpected(sql.error());
  const std::string question = fmt::format(
      "SELECT FROM pg_stat_replication WHERE application_name = {} AND state = 'streaming'",
      sql->literal(node.name));
  const auto deadline = Clock::now() + patience;
  for (;;) {
    auto streaming = sql->query(question);
    if (!streaming) return std::unexpected(streaming.error());
    if (!streaming->rows.empty()) return {};
    if (stop_.load()) return stopped();
    if (Clock::now() >= deadline)
      return fail(ErrorCode::kCannotConnectNow, fmt::format("{} does not stream", node.name),
                  tail(read_log_end(layout_.log_file(node.name)), 8),
                  fmt::format("its log is {}", layout_.log_file(node.name)));
    std::this_thread::sleep_for(kPollInterval);
  }
}

}  // namespace fairlead::cluster
