#include "app/check_patroni.h"

#include <algorithm>

namespace fairlead::app {
namespace {

using Severity = Finding::Severity;

Finding about(Severity severity, const std::string& cluster, std::string message,
              std::string detail, std::string hint) {
  return {severity,
          "cluster " + cluster,
          {ErrorCode::kConfig, std::move(message), std::move(detail), std::move(hint)}};
}

/// What is wrong with the leader; nullopt: nothing.
std::optional<Finding> judge_leader(const std::string& cluster, const patroni::Judgement& judgement,
                                    const std::vector<NodeReport>& nodes) {
  if (!judgement.speaks)
    return about(Severity::kProblem, cluster, "no Patroni says who leads",
                 "each is unreachable, paused without a lock, or too old in what it knows",
                 "patronictl list shows what it knows itself");
  if (judgement.leader.empty())
    return about(Severity::kProblem, cluster, "by Patroni's word nobody leads: writes wait",
                 "the lock is free, or held by a standby cluster's leader",
                 "patronictl list; its log says why no member takes the lock");
  const auto leader = std::ranges::find(nodes, judgement.leader, &NodeReport::address);
  if (leader == nodes.end() || !leader->answer || !leader->answer->in_recovery) return std::nullopt;
  return about(Severity::kProblem, cluster,
               judgement.leader + " leads by Patroni's word, and is in recovery",
               "a primary needs both: the lock, and to accept writes",
               "wait if it is being promoted; else look at the log of its Patroni");
}

}  // namespace

Result<config::Cluster> discovered(const config::Cluster& cluster,
                                   std::optional<proxy::PatroniDiscovery>& found) {
  config::Cluster out = cluster;
  if (cluster.topology != config::TopologySource::kPatroni) return out;
  auto discovery = proxy::discover_patroni(cluster);
  if (!discovery) return std::unexpected(discovery.error());
  if (!discovery->judgement.nodes.empty()) {
    out.nodes.clear();
    for (const patroni::ManagedNode& node : discovery->judgement.nodes)
      out.nodes.push_back(node.address);
  }
  found = std::move(*discovery);
  return out;
}

std::vector<Finding> judge_patroni(const std::string& cluster_name,
                                   const proxy::PatroniDiscovery& found,
                                   const std::vector<NodeReport>& nodes) {
  std::vector<Finding> findings;
  for (const patroni::Trouble& trouble : found.judgement.troubles)
    findings.push_back({Severity::kProblem,
                        trouble.about.empty() ? "cluster " + cluster_name : trouble.about,
                        trouble.error});
  if (auto leader = judge_leader(cluster_name, found.judgement, nodes))
    findings.push_back(std::move(*leader));
  if (found.judgement.paused)
    findings.push_back(about(Severity::kWarning, cluster_name, "Patroni is paused",
                             "nobody takes over when the primary fails", "patronictl resume"));
  return findings;
}

bool is_unreachable(const proxy::PatroniDiscovery& found) {
  return std::ranges::none_of(found.reports, [](const patroni::Report& report) {
    return report.cluster.has_value() && report.status.has_value();
  });
}

}  // namespace fairlead::app
