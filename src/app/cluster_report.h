// A cluster on disk as text and JSON. Both hold the superuser's password, as the owner of the
// folder may see it anyway.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "cluster/cluster.h"
#include "cluster/promote.h"
#include "cluster/rejoin.h"
#include "cluster/switchover.h"

namespace fairlead::app {

/// A line for each node: name, role, and the URL of the application's database.
std::string cluster_text(const cluster::Cluster& cluster);
boost::json::object cluster_object(const cluster::Cluster& cluster);
/// {"dir", "database", "nodes": [{"name", "role", "host", "port", "data_dir", "log_file", "url"}]}
std::string cluster_json(const cluster::Cluster& cluster);
/// What became of the cluster by a promotion, and what to do next.
std::string promotion_text(const cluster::Promotion& done, const std::string& dir);
/// {"primary", "old_primary", "nothing_lost", "reason", "followers": [], "need_rejoin": [],
/// "commits_wait"}
std::string promotion_json(const cluster::Promotion& done);
/// How a node has come back.
std::string rejoin_text(const cluster::Rejoin& done);
/// {"node", "primary", "method": "rewind"|"copy"|null, "reason"}
std::string rejoin_json(const cluster::Rejoin& done);
/// Who is the primary now, and the pause that it took.
std::string switchover_text(const cluster::Switchover& done, const std::string& dir);
/// {"primary", "old_primary", "pause_ms", "followers": [], "need_rejoin": []}
std::string switchover_json(const cluster::Switchover& done);
/// The plan of --dry-run as {"plan": [line, ...]}.
std::string plan_json(std::string_view plan);

/// What became of the folder, as {"stopped": dir} or {"removed": dir}.
std::string folder_json(std::string_view what, const std::string& dir);

/// How to put the proxy in front of it, with this program and the configuration in its folder.
std::string next_step_after_create(const cluster::Cluster& cluster);
/// The same once it has other members: that configuration knows them, or else `otherwise`.
std::string next_step_after_change(const cluster::Cluster& cluster, bool is_renewed,
                                   std::string_view otherwise);

}  // namespace fairlead::app
