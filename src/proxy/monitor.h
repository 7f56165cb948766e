// Watches the nodes of one cluster: probes each of them, has core/topology.h decide who is what,
// and publishes the decision as an immutable snapshot.
//
// The list of nodes may change at any time: by a reload, or because Patroni says so.
//
// It carries out and decides nothing itself: health is core/node_health.h, roles and lag are
// core/topology.h, which number a node has is core/node_slots.h, and when to ask is
// probe_schedule.h. One coroutine per node, each with one
// connection of its own, so that a node that hangs delays nobody else's news. Everything runs on
// one loop, the control thread's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/node_index.h"
#include "core/node_slots.h"
#include "core/topology.h"
#include "net/spawner.h"
#include "patroni/judgement.h"
#include "proxy/probe.h"
#include "proxy/probe_schedule.h"

namespace fairlead::proxy {

struct MonitorConfig {
  std::vector<ServerEndpoint> nodes;  // To begin with. Not their own timeouts: probe_timeout.
  ServerLogin login;                  // The monitor's user and database.
  Duration probe_interval = std::chrono::milliseconds(500);
  Duration probe_timeout = std::chrono::seconds(1);
  uint32_t probe_failures = 3;
  core::TopologyConfig topology = {};
  /// Nobody has a server of that node any more. On the monitor's loop.
  std::function<bool(core::NodeIndex)> is_unused = [](core::NodeIndex) { return false; };
};

class ClusterMonitor {
 public:
  /// Called on the monitor's loop after every decision; first when each node of that moment was
  /// probed once, which a node that hangs delays by one timeout.
  using Publish = std::function<void(std::shared_ptr<const core::ClusterSnapshot>)>;

  /// `loop` must outlive the monitor, and stop() must be awaited before it is destroyed.
  ClusterMonitor(net::Loop& loop, std::string cluster, MonitorConfig config, Publish publish);
  ~ClusterMonitor();

  void start();
  /// Ends all probes and joins. One that waits for a silent node ends with its deadline, so this
  /// takes at most probe_timeout.
  net::Task<void> stop();

  /// From now on these nodes, in any order; those that were in the list before go on unchanged.
  void set_nodes(const std::vector<ServerEndpoint>& nodes);

  /// What probes secure their next connections with, after a reload; who is kept out may be let in
  /// now, and is probed at once.
  void set_tls(const std::shared_ptr<const net::TlsClient>& tls);

  /// What Patroni says of the nodes: half of the evidence (E1). With a managed topology only.
  void set_judgement(patroni::Judgement judgement);

  /// A client's server to this node died or could not be opened: the node is probed at once. It
  /// stays in use meanwhile; one session's trouble is not the node's.
  void report_trouble(core::NodeIndex node, std::string why);

  /// Somebody waits for fresher positions: every node that is up is probed by a statement that
  /// starts after this call, at most one per node in flight, and no closer than kPositionGapMin.
  /// One call is one round: who still waits when the next snapshot comes calls again.
  void want_positions();

  /// Every worker holds its writes, or not any more: the nodes are shown it at once.
  void show_holding(bool holding);

  /// Null before the first decision.
  const std::shared_ptr<const core::ClusterSnapshot>& latest() const { return latest_; }

 private:
  struct Node {
    Node(net::Loop& loop, const MonitorConfig& config, const ServerEndpoint& endpoint);

    NodeProber prober;
    std::string name;
    core::NodeHealth health;
    std::optional<core::NodeObservation> seen;
    ProbeHistory history;
    net::Signal poked;
    bool silent = false;  // The probe in flight has waited for silence_until_withheld().
    bool probed = false;  // At least once, well or not.
    bool warned = false;  // That the user cannot see everything.
    bool gone = false;    // It has left the list.
    bool ended = false;   // Its coroutine.
  };

  net::Task<void> watch(Node& node);
  net::Task<ProbeOutcome> probe(Node& node);
  net::Task<void> wait_until_due(Node& node);
  std::optional<Lsn> position_to_await(const Node& node) const;
  void take(Node& node, const ProbeOutcome& outcome);
  void on_silence(Node& node);
  void warn_about_privileges(Node& node);
  void begin(const ServerEndpoint& endpoint, core::NodeIndex index);
  void end(core::NodeIndex index);
  bool may_decide() const;
  core::NodeView view_of(Node& node) const;
  std::string_view why_no_reads(const Node& node) const;
  void decide();

  net::Loop& loop_;
  const std::string cluster_;
  const MonitorConfig config_;
  const ProbeTiming timing_;
  const Publish publish_;
  net::Spawner spawner_;
  core::NodeSlots slots_;
  std::vector<std::unique_ptr<Node>> nodes_;    // By number.
  std::vector<std::unique_ptr<Node>> leaving_;  // Until their coroutine has ended.
  patroni::Judgement judgement_;
  core::Topology topology_;
  std::shared_ptr<const core::ClusterSnapshot> latest_;
  bool started_ = false;
  bool stopping_ = false;
  bool shows_holding_ = false;
};

}  // namespace fairlead::proxy
