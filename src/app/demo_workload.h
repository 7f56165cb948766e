// The demonstration's clients: a few threads that send requests at a steady rate through the
// automatic port, as an application with its own pool would.
//
// A client that loses its connection connects again; each failed statement counts as one error.
// After every new post the same client reads it back: it has to be there (read your writes).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/demo_requests.h"
#include "base/time.h"
#include "cluster/sql_connection.h"

namespace fairlead::app {

struct DemoLoad {
  unsigned clients = 4;
  unsigned requests_per_second = 40;  // Of all clients together.
};

struct WorkloadTotals {
  uint64_t reads = 0;  // Those that read a post back included.
  uint64_t writes = 0;
  uint64_t errors = 0;
  uint64_t posts_read_back = 0;
  uint64_t posts_missing = 0;  // Written, acknowledged and not seen by the next read.
  std::string last_error;
  std::map<std::string, uint64_t> errors_by_state;  // By SQLSTATE; "" where no server said any.
  Duration longest_wait{};                          // For an answer, of any kind.
};

class DemoWorkload {
 public:
  /// Starts at once.
  explicit DemoWorkload(cluster::Endpoint endpoint, DemoLoad load = {});
  /// request_stop() and join: a statement that the proxy holds must have been ended by then.
  ~DemoWorkload();
  DemoWorkload(const DemoWorkload&) = delete;
  DemoWorkload& operator=(const DemoWorkload&) = delete;

  /// No further requests; errors of those under way do not count.
  void request_stop();
  /// The same, and waits for the last answers, however long a statement is held.
  void finish();
  WorkloadTotals totals() const;
  /// The numbers of the requests for new posts that were acknowledged (demo_requests.h), unsorted.
  std::vector<uint64_t> acknowledged_posts() const;

 private:
  using Clock = std::chrono::steady_clock;
  using Connection = std::optional<cluster::SqlConnection>;

  void run_client(unsigned client);
  /// False: it is time to stop.
  bool wait_until(Clock::time_point when);
  void send(Connection& connection, uint64_t number);
  void read_back(Connection& connection, const std::string& post_id);
  Result<cluster::SqlRows> ask(Connection& connection, const std::string& sql);
  void count_error(Connection& connection, const Error& error, const std::string& state);

  const cluster::Endpoint endpoint_;
  const DemoLoad load_;
  const Clock::time_point began_ = Clock::now();
  std::atomic<uint64_t> next_number_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stopping_ = false;  // Guarded by mutex_, as all below.
  WorkloadTotals totals_;
  std::vector<uint64_t> acknowledged_posts_;
  std::vector<std::thread> clients_;
};

}  // namespace fairlead::app
