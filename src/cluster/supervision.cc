// The decisions of a supervisor.
#include "cluster/supervision.h"

namespace fairlead::cluster {

namespace {

bool is_gone(const NodeSight& node) { return !node.runs || node.failed_probes >= kFailedProbesMax; }

}  // namespace

Need most_urgent(const std::vector<NodeSight>& nodes) {
  bool primary_works = false;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!nodes[i].is_primary || nodes[i].standing != Standing::kMember) continue;
    if (!is_gone(nodes[i])) {
      primary_works = true;
      continue;
    }
    // Without a primary nothing else is touched: what the replicas have is what is left.
    return nodes[i].may_try ? Need{Need::Kind::kPrimary, i} : Need{};
  }
  for (size_t i = 0; i < nodes.size(); ++i)
    if (!nodes[i].is_primary && nodes[i].standing == Standing::kMember && is_gone(nodes[i]) &&
        nodes[i].may_try)
      return {Need::Kind::kReplica, i};
  for (size_t i = 0; primary_works && i < nodes.size(); ++i)
    if (nodes[i].standing == Standing::kNeedsRejoin && nodes[i].may_try)
      return {Need::Kind::kRejoin, i};
  return {};
}

std::vector<Way> ways_to_a_primary(const Policy& policy, int deaths) {
  if (!policy.failover || !policy.has_replicas) return {Way::kRestart};
  if (policy.commits_wait) return {Way::kPromote, Way::kRestart};
  if (policy.restart_limit.count() == 0 || deaths > kDeathsMax)
    return {Way::kPromoteAnyway, Way::kRestart};
  return {Way::kRestart, Way::kPromoteAnyway};
}

}  // namespace fairlead::cluster
