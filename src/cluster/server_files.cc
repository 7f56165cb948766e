// fairlead.conf and pg_hba.conf.
#include "cluster/server_files.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/layout.h"
#include "cluster/tool_commands.h"

namespace fairlead::cluster {

namespace {

/// A value in quotes, as postgresql.conf reads them (guc-file.l): a quote is doubled, a backslash
/// too.
std::string conf_quoted(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out.push_back(c);
    out.push_back(c);
  }
  out.push_back('\'');
  return out;
}

/// "name = 'value'  # why"
void add(std::string& out, std::string_view name, std::string_view value, std::string_view why) {
  out += fmt::format("{} = {}  # {}\n", name, conf_quoted(value), why);
}

void add_wal_settings(std::string& out) {
  // For as many replicas as a cluster may get, because more would need a restart; pg_basebackup
  // takes two senders while it runs, one at a time, and a few are for tools.
  const std::string senders = std::to_string(kReplicasMax + 6);
  add(out, "wal_level", "replica",
      "enough for standbys and pg_basebackup; logical decoding is not needed");
  add(out, "max_wal_senders", senders,
      "one per replica that may be added, two for a base backup, some to spare");
  add(out, "max_replication_slots", senders,
      "one per replica; a node that is promoted needs them all");
  add(out, "max_slot_wal_keep_size", "2GB",
      "a dead replica must not fill the primary's disk: past this it is cloned anew");
  add(out, "wal_keep_size", "128MB",
      "a replica that follows a promoted node finds WAL there before its slot exists");
  add(out, "wal_log_hints", "on",
      "pg_rewind needs it, or checksums; both, so that neither is missed");
  add(out, "hot_standby", "on", "replicas answer reads");
  add(out, "hot_standby_feedback", "on",
      "long reads on replicas are not cancelled by vacuum; the primary keeps their dead rows a "
      "while");
  add(out, "wal_receiver_status_interval", "1s",
      "how old a position in pg_stat_replication may be");
  add(out, "wal_sender_timeout", "10s", "a hung replica is dropped by then, not after a minute");
  add(out, "wal_receiver_timeout", "10s", "a hung primary is noticed by then");
  add(out, "wal_retrieve_retry_interval", "500ms", "a replica is back soon after its primary is");
  add(out, "recovery_target_timeline", "latest", "a replica follows a promoted node");
}

/// Only one of them is in force at a time: the first on a primary, the others on a replica.
void add_role_settings(std::string& out, const ClusterState& state, const NodeState& node,
                       const NodeState* primary) {
  add(out, "synchronous_standby_names", standby_names(state.spec.sync, standbys_of(state, node)),
      "whom a commit waits for when this is the primary; `fairlead cluster sync` changes it");
  if (primary == nullptr) return;
  add(out, "primary_conninfo", replication_conninfo(state, *primary, node), "whom it follows");
  add(out, "primary_slot_name", slot_name(node), "keeps the WAL that this node still needs");
}

void add_throw_away_settings(std::string& out) {
  out += "\n# This cluster may be thrown away: it survives kill -9, but not a power cut.\n";
  add(out, "fsync", "off", "the files live for minutes");
  add(out, "full_page_writes", "off", "only torn pages after a power cut need it");
  add(out, "shared_buffers", "32MB", "several clusters share one machine in tests");
  add(out, "dynamic_shared_memory_type", "mmap", "nothing is left in /dev/shm after kill -9");
}

}  // namespace

std::vector<std::string> standbys_of(const ClusterState& state, const NodeState& node) {
  std::vector<std::string> names;
  for (const Standing standing : {Standing::kMember, Standing::kNeedsRejoin}) {
    if (standing == Standing::kNeedsRejoin && names.size() >= state.spec.sync.count) break;
    for (const NodeState& other : state.nodes)
      if (other.standing == standing && other.name != node.name) names.push_back(other.name);
  }
  return names;
}

std::string render_fairlead_conf(const ClusterState& state, const NodeState& node,
                                 const NodeState* primary) {
  const ClusterSpec& spec = state.spec;
  std::string out =
      "# Written by fairlead cluster. Own settings belong in `create --set NAME=VALUE`.\n\n";
  add(out, "listen_addresses", spec.host, "the nodes' address and no other");
  add(out, "port", std::to_string(node.port), "this node's own");
  add(out, "unix_socket_directories", Layout(spec.dir).socket_dir(),
      "inside the cluster, not in /tmp");
  add(out, "unix_socket_permissions", "0700", "the servers' user and root");
  add(out, "cluster_name", node.name,
      "names the node in the process list and its replica to the primary");
  add(out, "password_encryption", "scram-sha-256", "pg_hba.conf asks for it");
  add(out, "max_connections", "200",
      "a pool of 20 from each of several databases and users, and room for tools");
  out += "\n# Replication: the same on all nodes, because any of them may become the primary.\n";
  add_wal_settings(out);
  add_role_settings(out, state, node, primary);
  out += "\n# Log.\n";
  add(out, "logging_collector", "off", "pg_ctl's log file is kept beside the nodes");
  add(out, "log_line_prefix", "%m [%p] %q%u@%d/%a ", "who did it");
  add(out, "log_replication_commands", "on", "when a replica came and went");
  if (spec.throw_away) add_throw_away_settings(out);
  if (!spec.settings.empty()) out += "\n# Chosen by whoever created the cluster.\n";
  for (const auto& [name, value] : spec.settings)
    out += fmt::format("{} = {}\n", name, conf_quoted(value));
  return out;
}

std::string hold_line(int64_t until_unix_seconds) {
  std::string out = "\n# A switchover is at work.\n";
  add(out, "fairlead.hold_writes_until", std::to_string(until_unix_seconds),
      "proxies begin nothing here before");
  return out;
}

std::string without_overrides(std::string_view auto_conf) {
  std::string out;
  while (!auto_conf.empty()) {
    const size_t end = auto_conf.find('\n');
    const std::string_view line = auto_conf.substr(0, end);
    auto_conf.remove_prefix(end == std::string_view::npos ? auto_conf.size() : end + 1);
    const std::string_view name = line.substr(0, line.find_first_of(" ="));
    if (std::ranges::find(kNotForAlterSystem, name) == kNotForAlterSystem.end())
      out.append(line).push_back('\n');
  }
  return out;
}

std::string render_pg_hba(const ClusterSpec& spec) {
  const std::string address = spec.host + (spec.host.contains(':') ? "/128" : "/32");
  return fmt::format(
      "# Written by fairlead cluster: the nodes' own address and local sockets, passwords always.\n"
      "# TYPE  DATABASE     USER        ADDRESS      METHOD\n"
      "local   all          all                      scram-sha-256\n"
      "local   replication  {0}                      scram-sha-256\n"
      "host    all          all         {1}          scram-sha-256\n"
      "host    replication  {0}         {1}          scram-sha-256\n",
      spec.replication_user, address);
}

}  // namespace fairlead::cluster
