// What must hold before a cluster is changed, so that no commit waits for replicas that are not
// there (E11). Asks the nodes; changes nothing.
#pragma once

#include <optional>

#include "base/error.h"
#include "cluster/cluster.h"
#include "cluster/sync_rule.h"

namespace fairlead::cluster {

/// `rule` fits the members and what they do now, without `leaving` where that is given.
Result<void> check_rule(const Cluster& cluster, size_t primary, const SyncRule& rule,
                        std::optional<size_t> leaving = {});

}  // namespace fairlead::cluster
