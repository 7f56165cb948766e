#include "app/demo_workload.h"

namespace fairlead::app {

namespace {

using namespace std::chrono_literals;

/// Between two attempts to connect.
constexpr auto kReconnectPause = 250ms;
constexpr auto kClientInterval =
    std::chrono::milliseconds(1000 * DemoWorkload::kClients / DemoWorkload::kRequestsPerSecond);

}  // namespace

DemoWorkload::DemoWorkload(cluster::Endpoint endpoint) : endpoint_(std::move(endpoint)) {
  for (unsigned client = 0; client < kClients; ++client)
    clients_.emplace_back(&DemoWorkload::run_client, this, client);
}

DemoWorkload::~DemoWorkload() {
  request_stop();
  for (std::thread& client : clients_) client.join();
}

void DemoWorkload::request_stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  stop_changed_.notify_all();
}

WorkloadTotals DemoWorkload::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

bool DemoWorkload::wait_until(Clock::time_point when) {
  std::unique_lock lock(mutex_);
  return !stop_changed_.wait_until(lock, when, [this] { return stopping_; });
}

void DemoWorkload::run_client(unsigned client) {
  Connection connection;
  // The clients take turns, so that the rate is even within a second too.
  auto next = began_ + client * kClientInterval / kClients;
  while (wait_until(next)) {
    // After a long wait it goes on from now: a burst would not be a steady load.
    next = std::max(next + kClientInterval, Clock::now());
    if (!connection) {
      auto opened = cluster::SqlConnection::open(endpoint_);
      if (!opened) {
        count_error(connection, opened.error());
        next = Clock::now() + kReconnectPause;
        continue;
      }
      connection = std::move(*opened);
    }
    send(connection, make_request(next_number_++, {}));
  }
}

void DemoWorkload::send(Connection& connection, const DemoRequest& request) {
  const auto rows = connection->query(request.sql);
  if (!rows) return count_error(connection, rows.error());
  {
    const std::lock_guard lock(mutex_);
    ++(request.is_write() ? totals_.writes : totals_.reads);
  }
  if (request.kind == DemoRequest::Kind::kNewPost && rows->rows.size() == 1)
    read_back(connection, rows->rows[0][0].value_or("0"));
}

void DemoWorkload::read_back(Connection& connection, const std::string& post_id) {
  const auto rows = connection->query(read_back_sql(post_id));
  if (!rows) return count_error(connection, rows.error());
  const std::lock_guard lock(mutex_);
  ++totals_.reads;
  ++(rows->rows.size() == 1 ? totals_.posts_read_back : totals_.posts_missing);
}

void DemoWorkload::count_error(Connection& connection, const Error& error) {
  if (error.code != ErrorCode::kInternal) connection.reset();  // Lost, or of no more use.
  const std::lock_guard lock(mutex_);
  if (stopping_) return;  // The end of the demonstration, not an error.
  ++totals_.errors;
  totals_.last_error = describe(error);
}

}  // namespace fairlead::app
