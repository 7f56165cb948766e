// The demonstration's clients: a few threads that send requests at a steady rate through the
// automatic port, as an application with its own pool would.
//
// A client that loses its connection connects again; each failed statement counts as one error.
// After every new post the same client reads it back: it has to be there (read your writes).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/demo_requests.h"
#include "cluster/sql_connection.h"

namespace fairlead::app {

struct WorkloadTotals {
  uint64_t reads = 0;  // Those that read a post back included.
  uint64_t writes = 0;
  uint64_t errors = 0;
  uint64_t posts_read_back = 0;
  uint64_t posts_missing = 0;  // Written, acknowledged and not seen by the next read.
  std::string last_error;
};

class DemoWorkload {
 public:
  static constexpr unsigned kClients = 4;
  static constexpr unsigned kRequestsPerSecond = 40;

  /// Starts at once.
  explicit DemoWorkload(cluster::Endpoint endpoint);
  /// request_stop() and join: a statement that the proxy holds must have been ended by then.
  ~DemoWorkload();
  DemoWorkload(const DemoWorkload&) = delete;
  DemoWorkload& operator=(const DemoWorkload&) = delete;

  /// No further requests; errors of those under way do not count.
  void request_stop();
  WorkloadTotals totals() const;

 private:
  using Clock = std::chrono::steady_clock;
  using Connection = std::optional<cluster::SqlConnection>;

  void run_client(unsigned client);
  /// False: it is time to stop.
  bool wait_until(Clock::time_point when);
  void send(Connection& connection, const DemoRequest& request);
  void read_back(Connection& connection, const std::string& post_id);
  void count_error(Connection& connection, const Error& error);

  const cluster::Endpoint endpoint_;
  const Clock::time_point began_ = Clock::now();
  std::atomic<uint64_t> next_number_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stopping_ = false;  // Guarded by mutex_, as all below.
  WorkloadTotals totals_;
  std::vector<std::thread> clients_;
};

}  // namespace fairlead::app
