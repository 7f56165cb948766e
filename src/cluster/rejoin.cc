// Rewind, or copy.
#include "cluster/rejoin.h"

#include <fmt/format.h>

#include "cluster/control_data.h"
#include "cluster/files.h"
#include "cluster/postmaster.h"

namespace fairlead::cluster {

namespace {

struct Case {
  size_t node = 0;
  size_t primary = 0;
  bool streams = false;
  std::string copy_because = {};  // Empty: pg_rewind is tried first.
};

Result<bool> streams(const Cluster& cluster, size_t node, size_t primary) {
  auto sql = SqlConnection::open(cluster.as_superuser(cluster.nodes[primary], "postgres"));
  if (!sql)
    return fail(ErrorCode::kConnectionFailure,
                fmt::format("the primary {} does not answer", cluster.nodes[primary].name),
                sql.error().detail,
                fmt::format("start it: fairlead cluster start --dir {}", cluster.state.spec.dir));
  const auto found = sql->value(fmt::format(
      "SELECT count(*) FROM pg_stat_replication WHERE application_name = {} AND state = "
      "'streaming'",
      sql->literal(cluster.nodes[node].name)));
  if (!found) return std::unexpected(found.error());
  return *found != "0" && cluster.nodes[node].standing == Standing::kMember;
}

/// Why pg_rewind cannot be tried; empty when it can. Data of another system is nobody's to remove.
Result<std::string> why_no_rewind(const OpenCluster& open, const Case& found) {
  const Cluster cluster = open.cluster();
  const Node& node = cluster.nodes[found.node];
  const std::string program = open.state().spec.pg_bin + "/pg_rewind";
  if (!exists(node.data_dir)) return "it has no data any more";
  const auto control = read_control_data(open.state(), open.user(), open.state().nodes[found.node]);
  if (!control) return "its data is damaged: " + control.error().detail;
  const auto own = read_control_data(open.state(), open.user(), open.state().nodes[found.primary]);
  if (!own) return std::unexpected(own.error());
  if (control->system_identifier != own->system_identifier)
    return fail(
        ErrorCode::kIo, fmt::format("the folder of {} holds another system", node.name),
        fmt::format("its identifier is {}, that of {} is {}", control->system_identifier,
                    cluster.nodes[found.primary].name, own->system_identifier),
        fmt::format("move {} away, then run rejoin again: it makes a new copy", node.data_dir));
  if (!exists(program)) return fmt::format("there is no {}", program);
  return "";
}

Result<Case> look_into(const OpenCluster& open, const RejoinRequest& request) {
  auto primary = open.primary();
  if (!primary) return std::unexpected(primary.error());
  auto node = open.find(request.node);
  if (!node) return std::unexpected(node.error());
  if (*node == *primary)
    return fail(
        ErrorCode::kInvalidParameterValue,
        fmt::format("{} is the primary: there is nobody that it could follow", request.node), {},
        "name a replica");
  Case out{*node, *primary};
  const auto now = streams(open.cluster(), *node, *primary);
  if (!now) return std::unexpected(now.error());
  out.streams = *now;
  if (out.streams && !request.copy) return out;
  auto why = why_no_rewind(open, out);
  if (!why) return std::unexpected(why.error());
  out.copy_because = request.copy && why->empty() ? "it was asked for" : std::move(*why);
  return out;
}

}  // namespace

Result<Rejoin> rejoin_in(OpenCluster& open, const RejoinRequest& request, ProgressSink& progress) {
  auto found = look_into(open, request);
  if (!found) return std::unexpected(found.error());
  Rejoin out{request.node, open.state().nodes[found->primary].name};
  if (found->streams && !request.copy) return out;
  const Plan by_rewind = plan_rewind(open.state(), found->node, found->primary);
  const Plan by_copy = plan_new_copy(open.state(), found->node, found->primary);
  out.reason = found->copy_because;
  out.method = out.reason.empty() ? Rejoin::Method::kRewind : Rejoin::Method::kCopy;
  if (!out.reason.empty())
    progress.noted(fmt::format("{} gets a new copy: {}", request.node, out.reason));
  Operation operation =
      operation_on(open.state(), found->primary, OperationKind::kRejoin, "rejoin " + request.node,
                   out.reason.empty() ? by_rewind : by_copy);
  operation.standings[found->node] = Standing::kNeedsRejoin;
  if (auto begun = open.begin(open.state(), std::move(operation)); !begun)
    return std::unexpected(begun.error());
  auto done = open.carry_on([&](const Step& step, const Error& error) -> std::optional<Plan> {
    const bool helps = step.kind == StepKind::kRewind || step.kind == StepKind::kStart ||
                       step.kind == StepKind::kAwaitStreaming;
    if (out.method != Rejoin::Method::kRewind || !helps || error.code == ErrorCode::kQueryCanceled)
      return std::nullopt;
    out.method = Rejoin::Method::kCopy;
    out.reason = step.kind == StepKind::kRewind ? "pg_rewind could not do it: " + error.detail
                                                : "pg_rewind was not enough: " + error.message;
    progress.noted(fmt::format("{} gets a new copy: {}", request.node, out.reason));
    return by_copy;
  });
  if (!done) return std::unexpected(done.error());
  return out;
}

Result<Rejoin> rejoin(const std::string& dir, const RejoinRequest& request, ProgressSink& progress,
                      const StopFlag& stop) {
  auto open = OpenCluster::open(dir, progress, stop);
  if (!open) return std::unexpected(open.error());
  return rejoin_in(*open, request, progress);
}

Result<std::string> describe_rejoin(const std::string& dir, const RejoinRequest& request) {
  auto open = OpenCluster::look(dir);
  if (!open) return std::unexpected(open.error());
  const auto found = look_into(*open, request);
  if (!found) return std::unexpected(found.error());
  const ClusterState& state = open->state();
  if (found->streams && !request.copy)
    return fmt::format("{} streams from {} already: nothing to do\n", request.node,
                       state.nodes[found->primary].name);
  if (!found->copy_because.empty())
    return fmt::format("{} gets a new copy: {}\n{}", request.node, found->copy_because,
                       render(plan_new_copy(state, found->node, found->primary), state));
  return fmt::format("If pg_rewind cannot do it, {} gets a new copy instead.\n{}", request.node,
                     render(plan_rewind(state, found->node, found->primary), state));
}

}  // namespace fairlead::cluster
