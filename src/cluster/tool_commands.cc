// Command lines of initdb, pg_basebackup and pg_ctl.
#include "cluster/tool_commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/layout.h"

namespace fairlead::cluster {

namespace {

std::string tool(const ClusterState& state, std::string_view name) {
  return fmt::format("{}/{}", state.spec.pg_bin, name);
}

/// A value inside a libpq connection string.
std::string quoted_conninfo(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "'";
}

/// application_name is what synchronous_standby_names and pg_stat_replication call this replica.
std::string conninfo_without_password(const ClusterState& state, const NodeState& from,
                                      const NodeState& replica) {
  return fmt::format("host={} port={} user={} application_name={}",
                     quoted_conninfo(state.spec.host), from.port,
                     quoted_conninfo(state.spec.replication_user), quoted_conninfo(replica.name));
}

}  // namespace

Arguments initdb_arguments(const ClusterState& state, const NodeState& node) {
  Arguments arguments = {
      tool(state, "initdb"),
      "--pgdata=" + Layout(state.spec.dir).data_dir(node.name),
      "--username=" + state.spec.superuser,
      "--pwfile=/dev/stdin",
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C.UTF-8",  // The same order of texts on every machine, and letters beyond ASCII
                           // work.
      "--data-checksums",
  };
  if (state.spec.throw_away) arguments.push_back("--no-sync");
  return arguments;
}

Arguments base_backup_arguments(const ClusterState& state, const NodeState& from,
                                const NodeState& replica) {
  Arguments arguments = {
      tool(state, "pg_basebackup"),
      "--dbname=" + conninfo_without_password(state, from, replica),
      "--pgdata=" + Layout(state.spec.dir).data_dir(replica.name),
      "--create-slot",
      "--slot=" + slot_name(replica),
      "--wal-method=stream",
      "--checkpoint=fast",  // Waiting for a scheduled one would take minutes.
      "--no-password",
      "--progress",
  };
  if (state.spec.throw_away) {
    arguments.push_back("--no-sync");
    arguments.push_back("--no-manifest");
  }
  return arguments;
}

Arguments rewind_arguments(const ClusterState& state, const NodeState& source,
                           const NodeState& target) {
  const Layout layout(state.spec.dir);
  Arguments arguments = {tool(state, "pg_rewind"),
                         "--target-pgdata=" + layout.data_dir(target.name),
                         fmt::format("--source-server=host={} port={} user={} dbname=postgres",
                                     quoted_conninfo(layout.socket_dir()), source.port,
                                     quoted_conninfo(state.spec.superuser))};
  if (state.spec.throw_away) arguments.push_back("--no-sync");
  return arguments;
}

std::string replication_conninfo(const ClusterState& state, const NodeState& primary,
                                 const NodeState& replica) {
  return fmt::format("{} password={}", conninfo_without_password(state, primary, replica),
                     quoted_conninfo(state.secrets.replication));
}

Arguments start_arguments(const ClusterState& state, const NodeState& node,
                          std::chrono::seconds patience) {
  const Layout layout(state.spec.dir);
  return {tool(state, "pg_ctl"),
          "start",
          "--pgdata=" + layout.data_dir(node.name),
          "--log=" + layout.log_file(node.name),
          "--wait",
          fmt::format("--timeout={}", patience.count()),
          "--silent"};
}

std::string slot_name(const NodeState& node) { return node.name; }

std::string printable(const Arguments& arguments) {
  std::string out;
  for (const std::string& argument : arguments) {
    if (!out.empty()) out.push_back(' ');
    const bool plain =
        std::ranges::none_of(argument, [](char c) { return c == ' ' || c == '\'' || c == '"'; });
    out += plain ? argument : fmt::format("\"{}\"", argument);
  }
  return out;
}

}  // namespace fairlead::cluster
