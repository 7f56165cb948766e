// Asks one node how it is: connects, logs in and queries on the same path as clients (E7), and
// keeps the connection for the next time.
//
// It only carries out; when to ask and what an answer means for the cluster is monitor.h's. Belongs
// to its loop's thread, one probe at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/node_health.h"
#include "core/topology.h"
#include "proxy/conversation.h"
#include "proxy/probe_answer.h"

namespace fairlead::proxy {

/// The application_name of probes; and from when on every worker holds its writes, so that a
/// planned switchover can see in pg_stat_activity that this Fairlead does.
inline constexpr std::string_view kMonitorName = "fairlead-monitor";
inline constexpr std::string_view kHoldingName = "fairlead-monitor-holding";

struct ProbeOutcome {
  core::ProbeResult result = core::ProbeResult::kOtherError;
  std::string detail = {};                         // For people; empty when it went well.
  std::optional<core::NodeObservation> seen = {};  // With kOk.
};

/// Refused, silent, not asked at all, starting up, or not letting us in (E7).
core::ProbeResult classify(const LoginFailure& failure);

class NodeProber {
 public:
  NodeProber(net::Loop& loop, ServerEndpoint endpoint, ServerLogin login);

  /// Ends within about `timeout`, whatever the node does. The prober must outlive the call.
  /// `awaited`: the node, a replica of PostgreSQL 19 or later, is first to replay up to there, for
  /// which it has kPositionGapMin.
  net::Task<ProbeOutcome> probe(Duration timeout, std::optional<Lsn> awaited = {});

  /// Leaves the node. The next probe connects again.
  void disconnect() { conversation_.reset(); }
  /// What the next connection is secured with; one that is open stays as it is.
  void set_tls(std::shared_ptr<const net::TlsClient> tls) { endpoint_.tls = std::move(tls); }
  /// Whether the node's own views are to call this connection kHoldingName, from the next probe on.
  void show_holding(bool holding) { holding_ = holding; }

  /// Known since the first good probe.
  const std::optional<NodeIdentity>& identity() const { return identity_; }
  const ServerEndpoint& endpoint() const { return endpoint_; }

 private:
  net::Task<std::optional<ProbeOutcome>> connect(Time deadline);
  net::Task<std::optional<ProbeOutcome>> tell_name(Time deadline);
  net::Task<std::expected<std::vector<Row>, ProbeOutcome>> ask(std::string_view sql, Time deadline);
  ProbeOutcome failure_of(const Error& error, Time deadline);
  net::Task<std::optional<ProbeOutcome>> await_replay(Lsn position, Time deadline);
  net::Task<ProbeOutcome> observe(Time deadline);

  net::Loop& loop_;
  ServerEndpoint endpoint_;
  ServerLogin login_;
  bool holding_ = false;
  bool shows_holding_ = false;  // As the node was told last.
  bool cannot_await_ = false;   // It has refused WAIT FOR LSN.
  std::unique_ptr<Conversation> conversation_;
  std::optional<NodeIdentity> identity_;
};

}  // namespace fairlead::proxy
