// `fairlead demo --break`: one node of the demonstration dies, and what an operator would do then
// is done. The clients notice it, or do not: that is what is shown.
//
// The primary: the most advanced replica is promoted at once, the others follow it, and the old
// primary rejoins. A replica: it is started again a while later.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "app/demo_place.h"
#include "base/error.h"

namespace fairlead::app {

enum class BreakTarget : uint8_t { kPrimary, kReplica };

std::string_view to_string(BreakTarget target);

class DemoBreak {
 public:
  /// Nothing happens yet. `place` must outlive it.
  DemoBreak(const DemoPlace& place, BreakTarget target);
  /// Ends the repair where it is, and waits for it.
  ~DemoBreak();
  DemoBreak(const DemoBreak&) = delete;
  DemoBreak& operator=(const DemoBreak&) = delete;

  /// kill -9 of the node's server, now; the repair goes on on a thread of its own.
  Result<void> strike();
  bool has_struck() const { return repair_.joinable(); }
  /// Waits for the end of the repair, and tells what became of it.
  Result<void> wait();

  /// "127.0.0.1:5601"; empty: there is no such node.
  const std::string& victim() const { return address_; }

 private:
  Result<void> repair();

  const BreakTarget target_;
  const std::string dir_;
  std::string name_;
  std::string address_;
  std::string data_dir_;
  std::atomic<bool> stop_ = false;
  Result<void> repaired_;  // The thread's, until it is joined.
  std::thread repair_;
};

}  // namespace fairlead::app
