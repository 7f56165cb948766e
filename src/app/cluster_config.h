// The configuration with which `fairlead up -c DIR/fairlead.toml` serves a cluster of this machine,
// and its users file. Beside the cluster, because it holds passwords: on a command line everybody
// could read them.
//
// It is written once and is the operator's from then on. Only its list of nodes is kept true by the
// commands that change the members, and only while everything else stands there as it was written.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "cluster/cluster.h"

namespace fairlead::app {

/// [cluster.main], with the monitor's own role, and [auth].
std::string cluster_toml(const cluster::Cluster& cluster, const std::string& users_file);
/// The application's role and its password.
std::string users_text(const cluster::Cluster& cluster);

/// Writes both files into the cluster's folder, for nobody else to read.
Result<void> write_proxy_files(const cluster::Cluster& cluster);

/// Whether two such files are the same but for their nodes.
bool same_but_for_nodes(std::string_view one, std::string_view other);

/// Puts the nodes that there are now into the file. False: it is not there, or somebody has changed
/// it.
Result<bool> renew_proxy_nodes(const cluster::Cluster& cluster);

}  // namespace fairlead::app
