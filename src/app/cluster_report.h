// A cluster on disk as text and JSON. Both hold the superuser's password, as the owner of the
// folder may see it anyway.
#pragma once

#include <string>
#include <string_view>

#include "cluster/cluster.h"

namespace fairlead::app {

/// A line for each node: name, role, and the URL of the application's database.
std::string cluster_text(const cluster::Cluster& cluster);
/// {"dir", "database", "nodes": [{"name", "role", "host", "port", "data_dir", "log_file", "url"}]}
std::string cluster_json(const cluster::Cluster& cluster);
/// The plan of --dry-run as {"plan": [line, ...]}.
std::string plan_json(std::string_view plan);

/// How to put the proxy in front of it, with this program.
std::string next_step_after_create(const cluster::Cluster& cluster);

}  // namespace fairlead::app
