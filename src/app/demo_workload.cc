#include "app/demo_workload.h"

namespace fairlead::app {

namespace {

using namespace std::chrono_literals;

/// Between two attempts to connect.
constexpr auto kReconnectPause = 250ms;

}  // namespace

DemoWorkload::DemoWorkload(cluster::Endpoint endpoint, DemoLoad load)
    : endpoint_(std::move(endpoint)), load_(load) {
  for (unsigned client = 0; client < load_.clients; ++client)
    clients_.emplace_back(&DemoWorkload::run_client, this, client);
}

DemoWorkload::~DemoWorkload() { finish(); }

void DemoWorkload::finish() {
  request_stop();
  for (std::thread& client : clients_) client.join();
  clients_.clear();
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

std::vector<uint64_t> DemoWorkload::acknowledged_posts() const {
  const std::lock_guard lock(mutex_);
  return acknowledged_posts_;
}

bool DemoWorkload::wait_until(Clock::time_point when) {
  std::unique_lock lock(mutex_);
  return !stop_changed_.wait_until(lock, when, [this] { return stopping_; });
}

void DemoWorkload::run_client(unsigned client) {
  Connection connection;
  const auto interval =
      std::chrono::microseconds(1'000'000ull * load_.clients / load_.requests_per_second);
  // The clients take turns, so that the rate is even within a second too.
  auto next = began_ + client * interval / load_.clients;
  while (wait_until(next)) {
    // After a long wait it goes on from now: a burst would not be a steady load.
    next = std::max(next + interval, Clock::now());
    if (!connection) {
      auto opened = cluster::SqlConnection::open(endpoint_);
      if (!opened) {
        count_error(connection, opened.error(), {});
        next = Clock::now() + kReconnectPause;
        continue;
      }
      connection = std::move(*opened);
    }
    send(connection, next_number_++);
  }
}

void DemoWorkload::send(Connection& connection, uint64_t number) {
  const DemoRequest request = make_request(number, {});
  const bool is_post = request.kind == DemoRequest::Kind::kNewPost;
  const auto rows = ask(connection, request.sql);
  if (!rows) return;
  {
    const std::lock_guard lock(mutex_);
    ++(request.is_write() ? totals_.writes : totals_.reads);
    if (is_post) acknowledged_posts_.push_back(number);
  }
  if (is_post && rows->rows.size() == 1) read_back(connection, rows->rows[0][0].value_or("0"));
}

void DemoWorkload::read_back(Connection& connection, const std::string& post_id) {
  const auto rows = ask(connection, read_back_sql(post_id));
  if (!rows) return;
  const std::lock_guard lock(mutex_);
  ++totals_.reads;
  ++(rows->rows.size() == 1 ? totals_.posts_read_back : totals_.posts_missing);
}

/// An error is counted, and after a loss of the connection it is opened again.
Result<cluster::SqlRows> DemoWorkload::ask(Connection& connection, const std::string& sql) {
  const auto began = Clock::now();
  auto rows = connection->query(sql);
  const auto waited = std::chrono::duration_cast<Duration>(Clock::now() - began);
  if (!rows) {
    count_error(connection, rows.error(), connection->sqlstate());
    return rows;
  }
  const std::lock_guard lock(mutex_);
  totals_.longest_wait = std::max(totals_.longest_wait, waited);
  return rows;
}

void DemoWorkload::count_error(Connection& connection, const Error& error,
                               const std::string& state) {
  const std::string counted_as = state;  // `state` may be the connection's own.
  if (error.code != ErrorCode::kInternal) connection.reset();  // Lost, or of no more use.
  const std::lock_guard lock(mutex_);
  if (stopping_) return;  // The end of the demonstration, not an error.
  ++totals_.errors;
  ++totals_.errors_by_state[counted_as];
  totals_.last_error = describe(error);
}

}  // namespace fairlead::app
