// What `fairlead check` makes of Patroni's answers. Pure but for discovered().
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/check_findings.h"
#include "proxy/patroni_discovery.h"

namespace fairlead::app {

/// `cluster` with the nodes that Patroni names, where it names any; as it is, where Patroni does
/// not manage it. `found` gets what was asked; nullopt: nothing was. Blocks as discover_patroni()
/// does.
Result<config::Cluster> discovered(const config::Cluster& cluster,
                                   std::optional<proxy::PatroniDiscovery>& found);

/// Every address that does not answer as it should, and what Patroni and the nodes do not agree on.
std::vector<Finding> judge_patroni(const std::string& cluster_name,
                                   const proxy::PatroniDiscovery& found,
                                   const std::vector<NodeReport>& nodes);

/// No address gave both answers.
bool is_unreachable(const proxy::PatroniDiscovery& found);

}  // namespace fairlead::app
