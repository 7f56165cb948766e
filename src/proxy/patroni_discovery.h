// One look at what Patroni says, for commands: `fairlead check` and `fairlead explain`.
#pragma once

#include <vector>

#include "config/config.h"
#include "patroni/judgement.h"

namespace fairlead::proxy {

struct PatroniDiscovery {
  std::vector<patroni::Report> reports;  // In the order of patroni_urls.
  patroni::Judgement judgement;
};

/// Asks every address of `cluster` once, all at the same time, as the proxy would. Blocks for two
/// patroni_timeout at most. Errors: what the configuration says cannot be used.
Result<PatroniDiscovery> discover_patroni(const config::Cluster& cluster);

}  // namespace fairlead::proxy
