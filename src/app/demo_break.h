// `fairlead demo --break`: one node of the demonstration dies under the eyes of the supervisor, as
// by `fairlead cluster up --auto-failover`: a replica is started again; for the primary the most
// advanced replica is promoted, the others follow it, and the old primary rejoins. The clients
// notice it, or do not: that is what is shown.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "app/demo_place.h"
#include "base/error.h"
#include "cluster/supervisor.h"

namespace fairlead::app {

enum class BreakTarget : uint8_t { kPrimary, kReplica };

std::string_view to_string(BreakTarget target);

class DemoBreak final : cluster::EventSink {
 public:
  /// Watches from now on, on a thread of its own. `place` must outlive it.
  DemoBreak(const DemoPlace& place, BreakTarget target);
  /// Ends the watching; the servers go on.
  ~DemoBreak() override;
  DemoBreak(const DemoBreak&) = delete;
  DemoBreak& operator=(const DemoBreak&) = delete;

  /// kill -9 of the node's server, now.
  Result<void> strike();
  bool has_struck() const { return has_struck_; }
  /// Ends the watching. What the supervisor could not do is an Error.
  Result<void> finish();

  /// "127.0.0.1:5601"; empty: there is no such node.
  const std::string& victim() const { return address_; }

 private:
  void happened(const cluster::SupervisorEvent& event) override;

  const BreakTarget target_;
  std::string address_;
  std::string data_dir_;
  bool has_struck_ = false;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::optional<Error> failed_;  // The supervisor's last; guarded by mutex_.
  std::thread supervisor_;
};

}  // namespace fairlead::app
