// The running proxy: listeners, workers, pools and monitors of one configuration.
//
// It is what `fairlead up` and `fairlead demo` start, and all that they see of src/proxy. It prints
// nothing but log lines, installs no signal handlers, and reads no environment and no files but
// those that the configuration names: all else belongs to src/app.
//
// One thread starts, asks, reloads and stops a Proxy; its own threads do the work. Every call here
// may block that one thread for as long as its comment says, never a worker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "config/config.h"

namespace fairlead::proxy {

/// Where clients can connect: the real ports, where the configuration says 0 too.
struct Ports {
  uint16_t automatic = 0;
  uint16_t read = 0;
  uint16_t primary = 0;

  bool operator==(const Ports&) const = default;
};

/// One node as it is now. Totals count from the start of the proxy.
struct NodeStats {
  std::string cluster = {};  // "main"
  std::string name = {};     // host:port, as configured.
  std::string role = {};   // core::to_string(NodeRole): "primary", "replica", "unknown", "refused".
  std::string state = {};  // core::to_string(NodeState).
  uint64_t statements_total = 0;
  uint64_t lag_bytes = 0;
  Duration lag{};
  uint32_t servers_in_use = 0;
  uint32_t servers_idle = 0;
  bool usable_for_reads = false;
  std::string reason = {};  // Why it serves no reads; empty when it does.
};

/// How many statements went where for one reason (sql::to_string(Reason)).
struct ReasonCount {
  std::string_view reason;
  uint64_t to_primary = 0;
  uint64_t to_replica = 0;
};

struct Stats {
  std::vector<NodeStats> nodes;     // In the order of the configuration, later ones behind.
  std::vector<ReasonCount> routes;  // Only reasons that occurred.
  uint64_t clients = 0;             // Connected now.
  uint64_t statements_total = 0;
  uint64_t errors_total = 0;   // Errors that clients got from Fairlead itself, not from PostgreSQL.
  uint64_t retries_total = 0;  // Reads that were run again elsewhere (A60).
};

class Proxy {
 public:
  /// Returns when all ports accept connections. `config` was made by config::load(). It does not
  /// wait for the nodes: those may come later, and until then clients wait or are told why.
  static Result<std::unique_ptr<Proxy>> start(std::shared_ptr<const config::Config> config);

  /// stop(0).
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  Ports ports() const;

  /// Asks every worker and adds up. Blocks for a turn of their loops.
  Stats stats();

  /// Until every node of every cluster was probed once and every cluster has a primary. False: not
  /// within `timeout`; stats() says what is missing.
  bool wait_until_routed(Duration timeout);

  /// Puts `config` into force, all or nothing. Returns the full keys that differ and need a
  /// restart: where there is one, nothing has changed. config::without_restart() takes them out.
  Result<std::vector<std::string>> reload(std::shared_ptr<const config::Config> config);

  /// Begins to stop and returns at once: the listeners close, idle clients and replication streams
  /// end with 57P01, those that are logging in with 57P03, and clients in a transaction may finish
  /// it. stop() must follow.
  void drain();

  /// After drain(): whether no client is left, so that stop() has nothing to wait for.
  bool is_drained();

  /// drain(), then waits up to `patience` for transactions, then ends what is left with 57P01 and
  /// joins all threads. Calling it again does nothing.
  void stop(Duration patience);

 private:
  class State;
  explicit Proxy(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fairlead::proxy
