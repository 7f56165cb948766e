// Watching, and acting on what was seen.
#include "cluster/supervisor.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "cluster/commands.h"
#include "cluster/dir_lock.h"
#include "cluster/fd.h"
#include "cluster/open_cluster.h"
#include "cluster/positions.h"
#include "cluster/postmaster.h"
#include "cluster/promote.h"
#include "cluster/rejoin.h"
#include "cluster/supervision.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::milliseconds kProbeEvery{1000};
/// A server that needs longer for SELECT 1 does not serve anybody.
constexpr std::chrono::milliseconds kProbeDeadline{1000};
/// After an attempt that failed, before the next one of the same kind.
constexpr std::chrono::seconds kRetryAfter{5};

/// What was begun is brought to its end, also when somebody presses Ctrl-C: a cluster without a
/// primary is no place to stop at.
const StopFlag kNever = false;

class Supervisor final : private ProgressSink {
 public:
  Supervisor(const SupervisorOptions& options, EventSink& events, const StopFlag& stop)
      : options_(options), events_(events), stop_(stop) {}

  /// What did not come up as everything was started. A primary is replaced or tried again at once.
  void take_over(const Started& started) {
    for (const FailedNode& failed : started.failed) {
      const Node* node = started.cluster.find(failed.name);
      if (node->role == Role::kPrimary)
        tell("failed", failed.name, describe(failed.why));
      else
        put_off(failed.name, failed.why);
    }
  }

  /// False: somebody stopped or removed the cluster, and there is nothing left to watch.
  bool look_and_act() {
    auto cluster = load(options_.dir);
    if (!cluster || cluster->state.stopped) {
      tell("ended", "",
           cluster ? "the cluster was stopped by a command" : describe(cluster.error()));
      return false;
    }
    if (!cluster->state.operation || settles()) {
      probe(*cluster);
      act(*cluster, most_urgent(sights(*cluster)));
    }
    wait(*cluster);
    return true;
  }

 private:
  struct Watched {
    Clock::time_point probed_at{};
    Clock::time_point retry_at{};
    int failed_probes = 0;
  };

  /// A command is at work, or was killed; who opens the cluster waits for it, or settles it.
  bool settles() {
    if (Clock::now() < settle_at_) return false;
    const auto open = OpenCluster::open(options_.dir, *this, kNever);
    const std::string why = open ? "" : describe(open.error());
    // The same again, every few seconds, is no news.
    if (!open && why != why_unsettled_) tell("note", "", why);
    why_unsettled_ = why;
    if (!open) settle_at_ = Clock::now() + kRetryAfter;
    return open.has_value();
  }

  void tell(std::string kind, std::string node, std::string text) {
    events_.happened({std::move(kind), std::move(node), std::move(text)});
  }

  void started(const StepView&) override {}
  void finished(const StepView&, Duration) override {}
  void failed(const StepView&, const Error&) override {}
  void noted(const std::string& text) override { tell("note", "", text); }

  static bool answers(const Cluster& cluster, const Node& node) {
    auto sql = SqlConnection::open(cluster.as_superuser(node, "postgres"), kProbeDeadline);
    // A refusal is an answer: it starts, recovers, or has no connection left (E7).
    if (!sql) return sql.error().detail.contains("FATAL:");
    return sql->query("SELECT 1", kProbeDeadline).has_value();
  }

  void probe(const Cluster& cluster) {
    for (const Node& node : cluster.nodes) {
      Watched& watched = nodes_[node.name];
      if (node.standing != Standing::kMember || !find_postmaster(node.data_dir)) {
        watched.failed_probes = 0;
        continue;
      }
      if (Clock::now() < watched.probed_at + kProbeEvery) continue;
      watched.probed_at = Clock::now();  // One that is late is followed by the next at once.
      watched.failed_probes = answers(cluster, node) ? 0 : watched.failed_probes + 1;
    }
  }

  std::vector<NodeSight> sights(const Cluster& cluster) {
    std::vector<NodeSight> out;
    for (const Node& node : cluster.nodes) {
      const Watched& watched = nodes_[node.name];
      out.push_back({node.role == Role::kPrimary, node.standing,
                     find_postmaster(node.data_dir).has_value(), watched.failed_probes,
                     Clock::now() >= watched.retry_at});
    }
    return out;
  }

  void act(const Cluster& seen, const Need& need) {
    if (need.kind == Need::Kind::kNothing) return;
    const std::string name = seen.nodes[need.node].name;
    const auto began = Clock::now();
    auto open = OpenCluster::open(options_.dir, *this, kNever);
    if (!open) return put_off(name, open.error());
    // A command may have changed everything while we waited for its lock.
    const Cluster cluster = open->cluster();
    if (open->state().stopped || most_urgent(sights(cluster)) != need ||
        cluster.nodes[need.node].name != name)
      return;
    switch (need.kind) {
      case Need::Kind::kPrimary:
        return replace_primary(*open, need.node, began);
      case Need::Kind::kReplica:
        return restart_replica(*open, need.node);
      case Need::Kind::kRejoin:
        return rejoin_node(*open, name);
      case Need::Kind::kNothing:
        return;
    }
  }

  void put_off(const std::string& node, const Error& why) {
    if (stop_.load()) return;
    tell("failed", node, describe(why));
    nodes_[node].retry_at = Clock::now() + kRetryAfter;
  }

  std::string how(const OpenCluster& open, size_t node) {
    return find_postmaster(open.cluster().nodes[node].data_dir)
               ? fmt::format("it did not answer {} probes",
                             nodes_[open.state().nodes[node].name].failed_probes)
               : "its process has ended";
  }

  int deaths_lately() {
    const auto now = Clock::now();
    deaths_.push_back(now);
    while (deaths_.front() + kDeathsWindow < now) deaths_.pop_front();
    return static_cast<int>(deaths_.size());
  }

  void replace_primary(OpenCluster& open, size_t node, Clock::time_point began) {
    const std::string name = open.state().nodes[node].name;
    tell("lost", name, fmt::format("the primary is gone: {}", how(open, node)));
    // Fenced before anything else: exactly the processes of this data directory (E12).
    if (auto ended = end_processes_in(open.cluster().nodes[node].data_dir); !ended)
      return put_off(name, ended.error());
    nodes_[name].failed_probes = 0;
    const Policy policy{
        options_.failover, open.state().nodes.size() > 1,
        look_back_at(open.state(), open.user(), node).commits_waited_for.rule.is_on(),
        options_.restart_limit};
    for (const Way way : ways_to_a_primary(policy, deaths_lately())) {
      const auto done = way == Way::kRestart ? restart_primary(open, node, policy, began)
                                             : promote_other(open, name, began);
      if (done || stop_.load()) return;
      put_off(name, done.error());
    }
  }

  static std::string after(Clock::time_point began) {
    return fmt::format(
        "after {} ms",
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count());
  }

  Result<void> restart_primary(OpenCluster& open, size_t node, const Policy& policy,
                               Clock::time_point began) {
    const std::string name = open.state().nodes[node].name;
    // Where nothing else can be done, it may take as long as it takes.
    const bool limited = policy.failover && policy.has_replicas && !policy.commits_wait &&
                         policy.restart_limit.count() > 0;
    auto started = limited ? open.start_node(node, policy.restart_limit) : open.start_node(node);
    if (!started) {
      // It may still be on its way up.
      if (auto ended = end_processes_in(open.cluster().nodes[node].data_dir); !ended) return ended;
      return started;
    }
    tell("restarted", name,
         fmt::format("the primary was restarted in place {}: nothing is lost", after(began)));
    return {};
  }

  Result<void> promote_other(OpenCluster& open, const std::string& old, Clock::time_point began) {
    auto done = promote_in(open, {}, *this, kNever);
    if (!done) return std::unexpected(done.error());
    tell("promoted", done->node,
         fmt::format("took the place of {} {}; {}: {}", old, after(began),
                     done->nothing_lost ? "nothing is lost" : "commits may be lost", done->reason));
    return {};
  }

  void restart_replica(OpenCluster& open, size_t node) {
    const Node found = open.cluster().nodes[node];
    tell("lost", found.name, fmt::format("the replica is gone: {}", how(open, node)));
    if (auto ended = end_processes_in(found.data_dir); !ended)
      return put_off(found.name, ended.error());
    nodes_[found.name].failed_probes = 0;
    if (auto started = open.start_node(node); !started) return put_off(found.name, started.error());
    tell("restarted", found.name, "the replica was restarted");
  }

  void rejoin_node(OpenCluster& open, const std::string& name) {
    const auto done = rejoin_in(open, {.node = name}, *this);
    if (!done) return put_off(name, done.error());
    tell("rejoined", name,
         fmt::format("follows {}{}", done->primary,
                     done->method == Rejoin::Method::kCopy ? " as a new copy" : ""));
  }

  /// Returns early when a server's process ends.
  static void wait(const Cluster& cluster) {
    std::vector<Fd> processes;
    std::vector<pollfd> waits;
    for (const Node& node : cluster.nodes)
      if (const auto server = find_postmaster(node.data_dir)) {
        processes.emplace_back(static_cast<int>(syscall(SYS_pidfd_open, server->pid, 0)));
        waits.push_back({processes.back().get(), POLLIN, 0});
      }
    // Without pidfds (kernels before 5.3) the tick alone sees it.
    poll(waits.data(), waits.size(), static_cast<int>(kTick.count()));
  }

  const SupervisorOptions& options_;
  EventSink& events_;
  const StopFlag& stop_;
  std::map<std::string, Watched> nodes_;
  std::deque<Clock::time_point> deaths_;
  Clock::time_point settle_at_{};  // Not before this: it has just failed.
  std::string why_unsettled_;
};

}  // namespace

Result<void> supervise(const SupervisorOptions& options, EventSink& events, const StopFlag& stop) {
  auto cluster = load(options.dir);
  if (!cluster) return std::unexpected(cluster.error());
  // One supervisor at a time; the cluster's own lock is for whoever changes it.
  const auto alone = DirLock::take(Layout(cluster->state.spec.dir).supervisor_lock(),
                                   std::chrono::milliseconds(0));
  if (!alone)
    return fail(ErrorCode::kIo,
                fmt::format("another fairlead cluster up watches {}", cluster->state.spec.dir),
                alone.error().detail, "end that one first");
  SilentProgress silent;
  const auto started = start_each(options.dir, silent, stop);
  if (!started) return std::unexpected(started.error());
  events.happened({"watching", "",
                   fmt::format("{} nodes; failover {}", cluster->nodes.size(),
                               options.failover ? "on" : "off")});
  Supervisor supervisor(options, events, stop);
  supervisor.take_over(*started);
  while (!stop.load())
    if (!supervisor.look_and_act()) return {};
  events.happened({"ended", "", "told to end; the servers go on"});
  return {};
}

}  // namespace fairlead::cluster
