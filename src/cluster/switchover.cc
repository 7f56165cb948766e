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
};

std::unexpected<Error> not_streaming(const Cluster& cluster, const std::string& who) {
  return fail(ErrorCode::kCannotConnectNow, who, {},
              fmt::format("look at fairlead cluster status --dir {}; a primary that is gone is "
                          "replaced by promote",
                          cluster.state.spec.dir));
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
  for (const auto& row : rows->rows) {
    const auto node = std::ranges::find(cluster.nodes, row.front().value_or(""), &Node::name);
    if (node == cluster.nodes.end() || node->standing != Standing::kMember) continue;
    const auto index = static_cast<size_t>(node - cluster.nodes.begin());
    if (!wanted || wanted == index) return Choice{*primary, index};
  }
  return not_streaming(cluster,
                       wanted ? fmt::format("{} does not stream from {}", request.to, old.name)
                              : fmt::format("no replica streams from {}", old.name));
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
  const Plan plan = plan_switchover(open->state(), choice->primary, choice->chosen);
  clock.watch(plan);
  Operation operation =
      operation_on(open->state(), choice->primary, OperationKind::kSwitchover,
                   fmt::format("switchover to {}", open->state().nodes[choice->chosen].name), plan);
  operation.patience = request.timeout;
  if (auto done = open->run(open->state(), std::move(operation)); !done)
    return std::unexpected(done.error());
  return outcome(open->state(), *choice, clock.pause());
}

Result<std::string> describe_switchover(const std::string& dir, const SwitchoverRequest& request) {
  auto open = OpenCluster::look(dir);
  if (!open) return std::unexpected(open.error());
  const auto choice = choose(*open, request);
  if (!choice) return std::unexpected(choice.error());
  return render(plan_switchover(open->state(), choice->primary, choice->chosen), open->state());
}

}  // namespace fairlead::cluster
