// Fence, compare, promote, re-point.
#include "cluster/promote.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "cluster/positions.h"
#include "cluster/postmaster.h"
#include "cluster/promotion_plan.h"

namespace fairlead::cluster {

namespace {

/// Replay of what was received goes on; a node that is further behind than that is left out.
constexpr std::chrono::seconds kSettlePatience{60};

Result<void> check_request(const Cluster& cluster, size_t primary, const PromoteRequest& request) {
  if (request.node.empty()) return {};
  const Node* node = cluster.find(request.node);
  if (node == nullptr) return {};  // Told with the names that there are, by whoever looks it up.
  if (node->name == cluster.nodes[primary].name)
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("{} is the primary already", request.node), {},
                "name another node, or none for the most advanced one");
  if (node->standing != Standing::kMember)
    return fail(
        ErrorCode::kInvalidParameterValue,
        fmt::format("{} cannot be promoted: it needs a rejoin", request.node), {},
        fmt::format("fairlead cluster rejoin --dir {} {}", cluster.state.spec.dir, request.node));
  return {};
}

std::string text_of(const PromoteRequest& request) {
  return fmt::format("promote{}{}{}", request.node.empty() ? "" : " ", request.node,
                     request.allow_loss ? " --allow-loss" : "");
}

std::vector<bool> running(const Cluster& cluster) {
  std::vector<bool> out;
  for (const Node& node : cluster.nodes) out.push_back(find_postmaster(node.data_dir).has_value());
  return out;
}

Result<Verdict> judge(const OpenCluster& open, size_t primary, const PromoteRequest& request,
                      std::vector<Candidate> candidates) {
  Ballot ballot;
  ballot.old_primary = look_back_at(open.state(), open.user(), primary);
  ballot.candidates = std::move(candidates);
  ballot.wanted = request.node;
  ballot.allow_loss = request.allow_loss;
  return elect(ballot);
}

Promotion outcome(const ClusterState& state, size_t primary, size_t chosen, Verdict verdict) {
  Promotion out;
  out.node = state.nodes[chosen].name;
  out.old_primary = state.nodes[primary].name;
  out.nothing_lost = verdict.nothing_lost;
  out.reason = std::move(verdict.reason);
  for (size_t i = 0; i < state.nodes.size(); ++i) {
    if (state.nodes[i].standing == Standing::kNeedsRejoin)
      out.need_rejoin.push_back(state.nodes[i].name);
    else if (i != chosen && state.nodes[i].standing == Standing::kMember)
      out.followers.push_back(state.nodes[i].name);
  }
  out.commits_wait = out.followers.size() < state.spec.sync.count;
  return out;
}

}  // namespace

Result<Promotion> promote_in(OpenCluster& open, const PromoteRequest& request,
                             ProgressSink& progress, const StopFlag& stop) {
  auto primary = open.primary();
  if (!primary) return std::unexpected(primary.error());
  if (!request.node.empty())
    if (auto found = open.find(request.node); !found) return std::unexpected(found.error());
  if (auto good = check_request(open.cluster(), *primary, request); !good)
    return std::unexpected(good.error());
  const std::vector<size_t> replicas = replicas_of(open.state(), *primary);

  Operation operation =
      operation_on(open.state(), *primary, OperationKind::kPromote, text_of(request),
                   plan_comparison(open.state(), *primary, running(open.cluster())));
  operation.open_ended = true;
  if (auto done = open.run(open.state(), std::move(operation)); !done)
    return std::unexpected(done.error());

  auto candidates = settled_positions(open.cluster(), replicas,
                                      system_identifier_of(open.state(), open.user(), *primary),
                                      kSettlePatience, stop);
  auto verdict = judge(open, *primary, request, candidates);
  if (!verdict) return std::unexpected(open.give_up(verdict.error()));
  const size_t chosen = replicas[verdict->chosen];
  progress.noted(fmt::format("{} is the most advanced of {}: {}", open.state().nodes[chosen].name,
                             replicas.size(), verdict->reason));
  const Plan rest = plan_promotion(open.state(), *primary, chosen,
                                   able_to_follow(candidates, replicas, *verdict));
  if (auto more = open.extend(rest); !more) return std::unexpected(open.give_up(more.error()));
  if (auto done = open.carry_on(); !done) return std::unexpected(done.error());
  return outcome(open.state(), *primary, chosen, std::move(*verdict));
}

Result<Promotion> promote(const std::string& dir, const PromoteRequest& request,
                          ProgressSink& progress, const StopFlag& stop) {
  auto open = OpenCluster::open(dir, progress, stop);
  if (!open) return std::unexpected(open.error());
  return promote_in(*open, request, progress, stop);
}

Result<std::string> describe_promote(const std::string& dir, const PromoteRequest& request) {
  auto open = OpenCluster::look(dir);
  if (!open) return std::unexpected(open.error());
  auto primary = open->primary();
  if (!primary) return std::unexpected(primary.error());
  if (!request.node.empty())
    if (auto found = open->find(request.node); !found) return std::unexpected(found.error());
  if (auto good = check_request(open->cluster(), *primary, request); !good)
    return std::unexpected(good.error());
  const std::vector<size_t> replicas = replicas_of(open->state(), *primary);
  const auto candidates = look_at(open->cluster(), replicas,
                                  system_identifier_of(open->state(), open->user(), *primary));
  const auto verdict = judge(*open, *primary, request, candidates);
  if (!verdict) return std::unexpected(verdict.error());
  const size_t chosen = replicas[verdict->chosen];
  Plan plan = plan_comparison(open->state(), *primary, running(open->cluster()));
  const Plan rest = plan_promotion(open->state(), *primary, chosen,
                                   able_to_follow(candidates, replicas, *verdict));
  plan.insert(plan.end(), rest.begin(), rest.end());
  return fmt::format("As the replicas are now; who is promoted is decided once nothing moves.\n{}",
                     render(plan, open->state()));
}

}  // namespace fairlead::cluster
