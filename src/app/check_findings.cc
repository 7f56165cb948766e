#include "app/check_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "cluster/find_postgres.h"

namespace fairlead::app {

namespace {

using Severity = Finding::Severity;

Finding problem(std::string where, std::string message, std::string detail, std::string hint) {
  return {Severity::kProblem,
          std::move(where),
          {ErrorCode::kConfig, std::move(message), std::move(detail), std::move(hint)}};
}

Finding warning(std::string where, std::string message, std::string detail, std::string hint) {
  return {Severity::kWarning,
          std::move(where),
          {ErrorCode::kConfig, std::move(message), std::move(detail), std::move(hint)}};
}

std::string grant_monitor(const config::Cluster& cluster) {
  return fmt::format("on the primary: GRANT pg_monitor TO \"{}\"", cluster.monitor_user);
}

std::string create_monitor(const config::Cluster& cluster) {
  return fmt::format(
      "on the primary: CREATE ROLE \"{0}\" LOGIN PASSWORD '...'; GRANT pg_monitor TO \"{0}\"",
      cluster.monitor_user);
}

/// How much of max_connections the pools of this cluster may take, for one user and database.
uint32_t servers_of_one_user(const config::Config& config, const std::string& cluster) {
  uint32_t largest = 0;
  for (const auto& [name, database] : config.databases)
    if (database.cluster == cluster) largest = std::max(largest, database.pool_size);
  return largest;
}

bool is_same_server(const NodeReport& one, const NodeReport& other) {
  return one.answer && other.answer && !one.answer->started_us.empty() &&
         one.answer->started_us == other.answer->started_us &&
         one.answer->system_identifier == other.answer->system_identifier;
}

class Judge {
 public:
  Judge(const config::Config& config, const std::string& name, const std::vector<NodeReport>& nodes)
      : config_(config), name_(name), cluster_(config.clusters.find(name)->second), nodes_(nodes) {}

  std::vector<Finding> run() {
    for (const NodeReport& node : nodes_) {
      if (node.answer)
        judge_node(node, *node.answer);
      else
        add(problem(node.address, node.answer.error().message, node.answer.error().detail,
                    next_step(node.answer.error(), cluster_)));
    }
    judge_monitor_user();
    // Two primaries of two clusters are both right; only of one cluster they are not.
    judge_names();
    if (judge_identity()) judge_primaries();
    return std::move(findings_);
  }

 private:
  void add(Finding finding) { findings_.push_back(std::move(finding)); }
  std::string place() const { return "cluster " + name_; }

  void judge_node(const NodeReport& node, const NodeAnswer& answer) {
    if (answer.version_num < cluster::kPostgresMajorMin * 10'000)
      add(problem(node.address, fmt::format("PostgreSQL {} is too old", answer.version),
                  "Fairlead is not tried with it",
                  fmt::format("upgrade it to {} or newer", cluster::kPostgresMajorMin)));
    if (answer.in_recovery && answer.sees_receiver && !answer.streams)
      add(problem(node.address, "this replica receives no WAL",
                  "it has no connection to its primary, so it falls ever further behind",
                  "look at primary_conninfo, the replication slot, and the replica's log"));
    judge_connections(node, answer);
  }

  /// Roles are the same on every node of a cluster: told once, of the first node that answers.
  void judge_monitor_user() {
    const auto first =
        std::ranges::find_if(nodes_, [](const auto& node) { return node.answer.has_value(); });
    if (first == nodes_.end()) return;
    if (!first->answer->sees_receiver)
      add(warning(place(), fmt::format("{} lacks pg_monitor", cluster_.monitor_user),
                  "a replica's timeline after a promotion is learnt late without it",
                  grant_monitor(cluster_)));
    if (first->answer->is_superuser)
      add(warning(place(), fmt::format("{} is a superuser", cluster_.monitor_user),
                  "probes need to log in and pg_monitor, nothing else",
                  "make a role for monitor_user: CREATE ROLE fairlead LOGIN PASSWORD '...'; GRANT "
                  "pg_monitor TO fairlead"));
  }

  void judge_connections(const NodeReport& node, const NodeAnswer& answer) {
    const uint32_t wanted = servers_of_one_user(config_, name_);
    if (wanted <= answer.connections_max) return;
    add(problem(node.address,
                fmt::format("pool_size {} is more than the {} connections that it allows", wanted,
                            answer.connections_max),
                "max_connections less superuser_reserved_connections",
                "lower pool_size, or raise max_connections"));
  }

  /// Whether another one before it is the same server.
  bool is_again(const NodeReport& node) const {
    return std::any_of(nodes_.data(), &node,
                       [&](const NodeReport& before) { return is_same_server(before, node); });
  }

  void judge_names() {
    for (const NodeReport& first : nodes_) {
      if (is_again(first)) continue;
      std::string names = first.address;
      for (const NodeReport& other : std::span(nodes_).subspan(index_of(first) + 1))
        if (is_same_server(first, other)) names += " and " + other.address;
      if (names == first.address) continue;
      add(problem(place(), names + " are one server under several names",
                  "they have the same system identifier and were started at the same moment",
                  "leave all but one of them out of nodes"));
    }
  }
  size_t index_of(const NodeReport& node) const {
    return static_cast<size_t>(&node - nodes_.data());
  }

  void judge_primaries() {
    std::vector<const NodeReport*> primaries;
    size_t silent = 0;
    for (const NodeReport& node : nodes_) {
      if (!node.answer)
        ++silent;
      else if (!node.answer->in_recovery && !is_again(node))
        primaries.push_back(&node);
    }
    if (primaries.empty())
      add(problem(place(), "no node is known to be the primary: writes fail until there is one",
                  silent > 0 ? fmt::format("{} of {} nodes do not answer", silent, nodes_.size())
                             : "every node is in recovery",
                  silent > 0 ? "bring the missing nodes back" : "promote one, or add it to nodes"));
    if (primaries.size() > 1)
      add(problem(
          place(),
          fmt::format("{} and {} both accept writes", primaries[0]->address, primaries[1]->address),
          "two primaries of one cluster lose data",
          "stop the one that was not promoted last, and make it a replica again"));
  }

  /// False: these are nodes of several clusters.
  bool judge_identity() {
    std::map<std::string, std::string> systems;  // With their nodes.
    std::set<uint32_t> timelines;
    for (const NodeReport& node : nodes_) {
      if (!node.answer) continue;
      std::string& members = systems[node.answer->system_identifier];
      members += (members.empty() ? "" : ", ") + node.address;
      timelines.insert(node.answer->timeline);
    }
    if (systems.size() > 1) {
      std::string detail = "they have different system identifiers: ";
      for (const auto& [system, members] : systems)
        detail += fmt::format("{}{} of {}", detail.ends_with(": ") ? "" : "; ", members, system);
      add(problem(place(), "these nodes are not one cluster", std::move(detail),
                  "leave out what does not belong to it, or give each cluster a [cluster.NAME] of "
                  "its own"));
      return false;
    }
    if (timelines.size() > 1)
      add(warning(place(), "the nodes are on different timelines",
                  "after a promotion, the others have to follow",
                  "a replica that stays behind needs pg_rewind or a new copy"));
    return true;
  }

  const config::Config& config_;
  const std::string& name_;
  const config::Cluster& cluster_;
  const std::vector<NodeReport>& nodes_;
  std::vector<Finding> findings_;
};

}  // namespace

std::string next_step(const Error& error, const config::Cluster& cluster) {
  if (!error.hint.empty()) return error.hint;
  const std::string reason = error.message + " " + error.detail;
  const auto says = [&reason](std::string_view words) {
    return reason.find(words) != std::string::npos;
  };
  const std::string& user = cluster.monitor_user;
  if (says("password authentication failed"))
    return fmt::format("check monitor_password; on the primary: ALTER ROLE \"{}\" PASSWORD '...'",
                       user);
  if (says("no pg_hba.conf entry"))
    return fmt::format(
        "add to pg_hba.conf: host all \"{}\" <this machine's address>/32 "
        "scram-sha-256, then SELECT pg_reload_conf()",
        user);
  if (says("role ") && says("does not exist")) return create_monitor(cluster);
  if (says("database ") && says("does not exist"))
    return fmt::format("monitor_database is \"{}\": name one that exists",
                       cluster.monitor_database);
  if (says("Connection refused"))
    return "nothing listens there: is PostgreSQL running, and does listen_addresses include it?";
  // The words are net/resolver's and getaddrinfo's.
  if (says("no name server has answered") || says("Temporary failure in name resolution"))
    return "nobody here answers questions for names: check this machine's name servers (DNS)";
  if (says("looking up the name"))
    return "the host's name is not known here: check its spelling and DNS";
  if (says("no answer within") || says("did not finish") || says("No route to host"))
    return "nothing answers there: check the address, the firewall, and that the machine is up";
  if (says("TLS") || says("SSL") || says("certificate"))
    return fmt::format("tls_mode is \"{}\": it has to fit the server's ssl settings",
                       config::to_string(cluster.tls_mode));
  if (says("starting up") || says("shutting down") || says("not yet accepting"))
    return "wait a moment and check again";
  if (says("too many clients") || says("connection slots"))
    return "the server is full: raise max_connections, or lower what others take";
  return "see the server's log";
}

std::vector<Finding> judge(const config::Config& config, const std::string& cluster_name,
                           const std::vector<NodeReport>& nodes) {
  return Judge(config, cluster_name, nodes).run();
}

const NodeReport* only_primary(const std::vector<NodeReport>& nodes) {
  const NodeReport* found = nullptr;
  for (const NodeReport& node : nodes) {
    if (!node.answer || node.answer->in_recovery) continue;
    if (found != nullptr) return nullptr;
    found = &node;
  }
  return found;
}

std::vector<NamedDatabase> named_databases(const config::Config& config,
                                           const std::string& cluster_name) {
  std::vector<NamedDatabase> out;
  for (const auto& [key, database] : config.databases) {
    if (database.cluster != cluster_name) continue;
    if (!database.database.empty())
      out.push_back({key, database.database});
    else if (key != "*")
      out.push_back({key, key});
  }
  return out;
}

Finding judge_database(const NamedDatabase& database, const Error& refusal,
                       const config::Cluster& cluster) {
  const std::string reason = refusal.message + " " + refusal.detail;
  std::string hint = next_step(refusal, cluster);
  if (reason.find("does not exist") != std::string::npos)
    hint =
        "create it, or write the name of one that exists: as the table's name, or as its key "
        "database";
  if (reason.find("permission denied for database") != std::string::npos)
    hint = fmt::format("on the primary: GRANT CONNECT ON DATABASE \"{}\" TO \"{}\"", database.name,
                       cluster.monitor_user);
  const std::string why = refusal.detail.empty() ? refusal.message : refusal.detail;
  return problem(
      "database " + database.key,
      fmt::format("\"{}\" cannot log in to the database \"{}\": no read there leaves the primary",
                  cluster.monitor_user, database.name),
      why + "; what its functions and views do is looked up there", std::move(hint));
}

std::optional<uint64_t> lag_of(const NodeReport& node, const std::vector<NodeReport>& nodes) {
  const NodeAnswer* primary = nullptr;
  for (const NodeReport& other : nodes) {
    if (other.cluster != node.cluster || !other.answer || other.answer->in_recovery) continue;
    if (primary != nullptr) return std::nullopt;
    primary = &*other.answer;
  }
  if (primary == nullptr || !node.answer || !node.answer->in_recovery) return std::nullopt;
  // Positions of two timelines are not comparable without the history (D20).
  if (primary->timeline != node.answer->timeline) return std::nullopt;
  // The replica may have been asked later than the primary, and have replayed more since.
  if (node.answer->position >= primary->position) return 0;
  return primary->position.value - node.answer->position.value;
}

ExitCode verdict(const CheckReport& report) {
  if (report.manager_unreachable) return ExitCode::kUnreachable;
  if (std::ranges::any_of(report.nodes, [](const auto& node) { return !node.answer; }))
    return ExitCode::kUnreachable;
  const bool wrong = std::ranges::any_of(
      report.findings, [](const auto& finding) { return finding.severity == Severity::kProblem; });
  return wrong ? ExitCode::kError : ExitCode::kOk;
}

}  // namespace fairlead::app
