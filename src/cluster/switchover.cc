// Choosing the replica, and the time that clients wait.
#include "cluster/switchover.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/promotion_plan.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

/// Passes everything on, and remembers when the hold began and when writes went on.
class PauseClock final : public ProgressSink {
 public:
  explicit PauseClock(ProgressSink& next) : next_(next) {}

  void watch(const Plan& plan) {
    for (size_t i = 0; i < plan.size(); ++i) {
      if (plan[i].kind == StepKind::kHold) hold_ = i + 1;
      if (plan[i].kind == StepKind::kProveWrites) prove_ = i + 1;
    }
  }
  Duration pause() const { return std::chrono::duration_cast<Duration>(ended_ - began_); }

  void started(const StepView& step) override {
    if (step.number == hold_) began_ = Clock::now();
    next_.started(step);
  }
  void finished(const StepView& step, Duration took) override {
    if (step.number == prove_) ended_ = Clock::now();
    next_.finished(step, took);
  }
  void failed(const StepView& step, const Error& error) override { next_.failed(step, error); }
  void noted(const std::string& text) override { next_.noted(text); }

 private:
  ProgressSink& next_;
  size_t hold_ = 0;
  size_t prove_ = 0;
  Clock::time_point began_;
  Clock::time_point ended_;
};

struct Choice {
  size_t primary = 0;
  size_t chosen = 0;
  std::vector<size_t> streaming =
      {};  // From the primary, the one that has replayed the most first.
};

Plan plan_for(const OpenCluster& open, const Choice& choice) {
  return plan_switchover(open.state(), choice.primary, choice.chosen, choice.streaming);
}

constexpr std::chrono::seconds kProofDeadline{5};

std::unexpected<Error> not_streaming(const Cluster& cluster, const std::string& who) {
  return fail(ErrorCode::kCannotConnectNow, who, {},
              fmt::format("look at fairlead cluster status --dir {}; a primary that is gone is "
                          "replaced by promote",
                          cluster.state.spec.dir));
}

std::vector<size_t> members_among(const Cluster& cluster, const SqlRows& names) {
  std::vector<size_t> out;
  for (const auto& row : names.rows) {
    const auto node = std::ranges::find(cluster.nodes, row.front().value_or(""), &Node::name);
    if (node != cluster.nodes.end() && node->standing == Standing::kMember)
      out.push_back(static_cast<size_t>(node - cluster.nodes.begin()));
  }
  return out;
}

Result<Choice> choose(const OpenCluster& open, const SwitchoverRequest& request) {
  auto primary = open.primary();
  if (!primary) return std::unexpected(primary.error());
  const Cluster cluster = open.cluster();
  const Node& old = cluster.nodes[*primary];
  std::optional<size_t> wanted;
  if (!request.to.empty()) {
    auto found = open.find(request.to);
    if (!found) return std::unexpected(found.error());
    wanted = *found;
  }
  if (wanted == *primary)
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("{} is the primary already", request.to), {}, "name a replica");
  auto sql = SqlConnection::open(cluster.as_superuser(old, "postgres"));
  if (!sql)
    return fail(
        ErrorCode::kConnectionFailure, fmt::format("the primary {} does not answer", old.name),
        sql.error().detail,
        fmt::format("fairlead cluster promote --dir {} replaces it", cluster.state.spec.dir));
  const auto rows = sql->query(
      "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming' ORDER BY "
      "replay_lsn DESC NULLS LAST, application_name");
  if (!rows) return std::unexpected(rows.error());
  const std::vector<size_t> streaming = members_among(cluster, *rows);
  const bool found =
      wanted ? std::ranges::find(streaming, *wanted) != streaming.end() : !streaming.empty();
  if (!found)
    return not_streaming(cluster,
                         wanted ? fmt::format("{} does not stream from {}", request.to, old.name)
                                : fmt::format("no replica streams from {}", old.name));
  // The old primary takes the place of the chosen one: as many stream afterwards.
  const SyncRule& rule = cluster.state.spec.sync;
  if (streaming.size() < rule.count)
    return not_streaming(cluster, fmt::format("commits wait for {} replicas, and {} stream",
                                              rule.count, streaming.size()));
  return Choice{*primary, wanted.value_or(streaming.front()), streaming};
}

/// E11: whoever died on the way may leave too few for the rule, and then that is what is told.
Result<void> prove_writes(const OpenCluster& open, size_t primary) {
  const Cluster cluster = open.cluster();
  const Node& node = cluster.nodes[primary];
  auto sql = SqlConnection::open(cluster.as_superuser(node, "postgres"));
  auto done = sql ? sql->query("SELECT pg_logical_emit_message(true, 'fairlead', 'switchover')",
                               kProofDeadline)
                  : Result<SqlRows>(std::unexpected(sql.error()));
  if (done) return {};
  return fail(ErrorCode::kCannotConnectNow,
              fmt::format("{} is the primary now, but acknowledges no commit", node.name),
              describe(done.error()),
              fmt::format("look at fairlead cluster status --dir {}; bring back the replicas that "
                          "commits wait for, or give up the rule with sync off",
                          cluster.state.spec.dir));
}

Switchover outcome(const ClusterState& state, const Choice& choice, Duration pause) {
  Switchover out{state.nodes[choice.chosen].name, state.nodes[choice.primary].name, pause};
  for (size_t i = 0; i < state.nodes.size(); ++i) {
    if (i == choice.chosen) continue;
    auto& names = state.nodes[i].standing == Standing::kMember ? out.followers : out.need_rejoin;
    names.push_back(state.nodes[i].name);
  }
  return out;
}

}  // namespace

Result<Switchover> switchover(const std::string& dir, const SwitchoverRequest& request,
                              ProgressSink& progress, const StopFlag& stop) {
  PauseClock clock(progress);
  auto open = OpenCluster::open(dir, clock, stop);
  if (!open) return std::unexpected(open.error());
  const auto choice = choose(*open, request);
  if (!choice) return std::unexpected(choice.error());
  const Plan plan = plan_for(*open, *choice);
  clock.watch(plan);
  Operation operation =
      operation_on(open->state(), choice->primary, OperationKind::kSwitchover,
                   fmt::format("switchover to {}", open->state().nodes[choice->chosen].name), plan);
  operation.patience = request.timeout;
  if (auto done = open->run(open->state(), std::move(operation)); !done)
    return std::unexpected(done.error());
  if (auto proven = prove_writes(*open, choice->chosen); !proven)
    return std::unexpected(proven.error());
  return outcome(open->state(), *choice, clock.pause());
}

Result<std::string> describe_switchover(const std::string& dir, const SwitchoverRequest& request) {
  auto open = OpenCluster::look(dir);
  if (!open) return std::unexpected(open.error());
  const auto choice = choose(*open, request);
  if (!choice) return std::unexpected(choice.error());
  return render(plan_for(*open, *choice), open->state());
}

}  // namespace fairlead::cluster
