// What `fairlead check` makes of the nodes' answers: everything that is wrong, each with its cause
// and the next step. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/ask_node.h"
#include "app/exit_code.h"
#include "base/error.h"
#include "config/config.h"

namespace fairlead::app {

/// One node and what it said, or why it said nothing.
struct NodeReport {
  std::string cluster;
  std::string address;  // host:port
  Result<NodeAnswer> answer;
};

struct Finding {
  enum class Severity : uint8_t { kProblem, kWarning };
  Severity severity = Severity::kProblem;
  std::string where;  // "cluster main", "127.0.0.1:5601" or a key.
  Error error;        // Its code is not looked at.
};

struct CheckReport {
  std::vector<NodeReport> nodes;  // In the order of the configuration.
  std::vector<Finding> findings;
  bool manager_unreachable = false;  // A cluster whose nodes nobody could be asked for.
};

/// What to do about a connection that was not made: what the error itself says, else judged by its
/// words, which are the server's or the system's.
std::string next_step(const Error& error, const config::Cluster& cluster);

/// Judges all nodes of one cluster.
std::vector<Finding> judge(const config::Config& config, const std::string& cluster_name,
                           const std::vector<NodeReport>& nodes);

/// The node that says it is the primary; null: there is not exactly one.
const NodeReport* only_primary(const std::vector<NodeReport>& nodes);

/// A database that the configuration names for one cluster.
struct NamedDatabase {
  std::string key;   // The NAME of its [database.NAME].
  std::string name;  // On the servers.

  bool operator==(const NamedDatabase&) const = default;
};
/// Those of [database."*"] are known when clients come, and to nobody before.
std::vector<NamedDatabase> named_databases(const config::Config& config,
                                           const std::string& cluster_name);

/// The primary does not let the monitor into that database.
Finding judge_database(const NamedDatabase& database, const Error& refusal,
                       const config::Cluster& cluster);

/// How far a replica's replay is behind the primary of its cluster; nullopt: there is not exactly
/// one primary, or the node is none of its replicas.
std::optional<uint64_t> lag_of(const NodeReport& node, const std::vector<NodeReport>& nodes);

/// kUnreachable before kError before kOk; warnings change nothing.
ExitCode verdict(const CheckReport& report);

}  // namespace fairlead::app
