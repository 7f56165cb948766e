#include "proxy/proxy.h"

#include <fmt/format.h>

#include <future>
#include <thread>

#include "base/log.h"
#include "config/diff.h"
#include "core/pool_worker.h"
#include "net/dial.h"
#include "net/open_files.h"
#include "net/random.h"
#include "net/send_ring.h"
#include "proxy/control.h"
#include "proxy/worker.h"

namespace fairlead::proxy {
namespace {

// How often a thread that waits for the workers looks again; nobody's request waits for it.
constexpr Duration kLookInterval = std::chrono::milliseconds(20);

}  // namespace

class Proxy::State {
 public:
  explicit State(SettingsPtr settings)
      : settings_(std::move(settings)),
        workers_max_(core::workers_for(settings_->config->proxy.workers,
                                       std::thread::hardware_concurrency())),
        shared_(workers_max_, random_key(), net::open_files_max()) {
    for (uint16_t i = 0; i < workers_max_; ++i) {
      workers_.push_back(std::make_unique<Worker>(core::WorkerId{i}, shared_, settings_, workers_));
    }
    control_ = std::make_unique<Control>(settings_, shared_.pools, workers_);
    shared_.control = control_.get();
  }

  /// Nothing has begun when it fails: who accepts clients has to be told to end, by a loop that
  /// runs.
  Result<void> listen() {
    struct Opened {
      Worker& worker;
      net::Acceptor acceptor;
      core::Port port;
    };
    std::vector<Opened> all;
    const config::Listen& listen = settings_->config->listen;
    for (const auto& [port, number, real] :
         {std::tuple{core::Port::kAutomatic, listen.port, &ports_.automatic},
          std::tuple{core::Port::kRead, listen.read_port, &ports_.read},
          std::tuple{core::Port::kPrimary, listen.primary_port, &ports_.primary}}) {
      *real = number;
      for (auto& worker : workers_) {
        auto acceptor = net::listen(worker->loop(), listen.host, *real, workers_.size() > 1);
        if (!acceptor) return std::unexpected(acceptor.error());
        *real = acceptor->port();
        all.push_back({*worker, std::move(*acceptor), port});
      }
    }
    for (Opened& opened : all) opened.worker.listen_on(std::move(opened.acceptor), opened.port);
    return {};
  }

  void run() {
    const auto ring = net::SendRing::open();
    log::info("workers: {}, processors: {}, sends: {}", workers_max_,
              std::thread::hardware_concurrency(),
              ring ? "all of a turn together" : "one by one, as " + describe(ring.error()));
    control_->start();
    for (auto& worker : workers_) threads_.emplace_back([target = worker.get()] { target->run(); });
  }

  Ports ports() const { return ports_; }

  /// Runs `question` on every worker's thread and returns the answers.
  template <class Question>
  auto ask_all(Question question) {
    using Answer = decltype(question(*workers_[0]));
    std::vector<std::future<Answer>> answers;
    for (auto& worker : workers_) {
      auto promise = std::make_shared<std::promise<Answer>>();
      answers.push_back(promise->get_future());
      worker->post(
          [target = worker.get(), promise, question] { promise->set_value(question(*target)); });
    }
    std::vector<Answer> collected;
    for (auto& answer : answers) collected.push_back(answer.get());
    return collected;
  }

  Stats stats() {
    if (threads_.empty()) return {};
    Stats total;
    WorkerStats sum;
    for (const WorkerStats& worker : ask_all([](Worker& w) { return w.stats(); })) {
      total.clients += worker.clients;
      total.statements_total += worker.statements_total;
      total.errors_total += worker.errors_total;
      total.retries_total += worker.retries_total;
      for (size_t i = 0; i < sql::kReasonCount; ++i) {
        sum.to_primary[i] += worker.to_primary[i];
        sum.to_replica[i] += worker.to_replica[i];
      }
      for (const auto& [cluster, nodes] : worker.node_statements) {
        auto& counts = sum.node_statements[cluster];
        counts.resize(std::max(counts.size(), nodes.size()));
        for (size_t i = 0; i < nodes.size(); ++i) counts[i] += nodes[i];
      }
    }
    for (size_t i = 0; i < sql::kReasonCount; ++i) {
      if (sum.to_primary[i] + sum.to_replica[i] == 0) continue;
      total.routes.push_back(
          {sql::reason_name(static_cast<sql::Reason>(i)), sum.to_primary[i], sum.to_replica[i]});
    }
    for (const auto& [name, cluster] : settings_->clusters)
      add_nodes(name, cluster, sum.node_statements[name], total);
    return total;
  }

  bool is_routed() const {
    for (const auto& [name, cluster] : settings_->clusters) {
      const auto snapshot = control_->snapshot(name);
      if (!snapshot || !snapshot->primary) return false;
    }
    return true;
  }

  Result<std::vector<std::string>> reload(std::shared_ptr<const config::Config> config) {
    auto made = make_settings(config);
    if (!made) return std::unexpected(made.error());
    std::vector<std::string> need_restart;
    for (const config::Change& change : config::diff(*settings_->config, *config)) {
      if (change.apply == config::Apply::kRestart) need_restart.push_back(change.key);
    }
    if (!need_restart.empty()) return need_restart;
    settings_ = std::move(*made);
    for (auto& worker : workers_) {
      worker->post(
          [target = worker.get(), settings = settings_] { target->set_settings(settings); });
    }
    control_->set_settings(settings_);
    return need_restart;
  }

  void drain() {
    for (auto& worker : workers_) worker->post([target = worker.get()] { target->drain(); });
  }

  bool is_drained() { return threads_.empty() || shared_.clients.load() == 0; }

  void stop(Duration patience) {
    if (threads_.empty()) return;
    drain();
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!is_drained() && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(kLookInterval);
    // Clients are told before the control thread has ended its questions, which may take seconds
    // where a node hangs.
    for (auto& worker : workers_) worker->post([target = worker.get()] { target->stop(); });
    control_->stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  static core::HashKey random_key() {
    const auto bytes = net::random_value<std::array<std::byte, 16>>();
    return core::HashKey::from_bytes(bytes);
  }

  void add_nodes(const std::string& name, const ClusterSettings& cluster,
                 const std::vector<uint64_t>& statements, Stats& total) {
    const auto snapshot = control_->snapshot(name);
    if (!snapshot) {
      for (const ServerEndpoint& node : cluster.nodes)
        total.nodes.push_back({.cluster = name,
                               .name = node.name(),
                               .role = "unknown",
                               .state = "down",
                               .reason = "not reached yet"});
      return;
    }
    std::vector<core::PoolCounts> pools(snapshot->nodes.size());
    shared_.pools.for_each([&](SharedPool& pool) {
      const auto node = static_cast<size_t>(pool.key().node);
      if (pool.key().tenant.cluster != name || node >= pools.size()) return;
      const core::PoolCounts counts =
          pool.with_queue([](core::PoolQueue& queue) { return queue.counts(net::Loop::now()); });
      pools[node].busy += counts.busy;
      pools[node].idle += counts.idle;
    });
    for (size_t i = 0; i < snapshot->nodes.size(); ++i) {
      const core::NodeStatus& seen = snapshot->nodes[i];
      if (seen.gone) continue;
      total.nodes.push_back({.cluster = name,
                             .name = seen.name,
                             .role = std::string(core::to_string(seen.role)),
                             .state = std::string(core::to_string(seen.state)),
                             .statements_total = i < statements.size() ? statements[i] : 0,
                             .lag_bytes = seen.lag.bytes,
                             .lag = seen.lag.time,
                             .servers_in_use = pools[i].busy,
                             .servers_idle = pools[i].idle,
                             .usable_for_reads = seen.usable_for_reads,
                             .reason = seen.reason});
    }
  }

  SettingsPtr settings_;
  const uint16_t workers_max_;
  Shared shared_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<Control> control_;
  std::vector<std::thread> threads_;
  Ports ports_;
};

Proxy::Proxy(std::unique_ptr<State> state) : state_(std::move(state)) {}

Proxy::~Proxy() { state_->stop(Duration{0}); }

Result<std::unique_ptr<Proxy>> Proxy::start(std::shared_ptr<const config::Config> config) {
  auto settings = make_settings(std::move(config));
  if (!settings) return std::unexpected(settings.error());
  auto state = std::make_unique<State>(std::move(*settings));
  if (auto listening = state->listen(); !listening) return std::unexpected(listening.error());
  state->run();
  return std::unique_ptr<Proxy>(new Proxy(std::move(state)));
}

Ports Proxy::ports() const { return state_->ports(); }
Stats Proxy::stats() { return state_->stats(); }

bool Proxy::wait_until_routed(Duration timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  while (!state_->is_routed()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(kLookInterval);
  }
  return true;
}

Result<std::vector<std::string>> Proxy::reload(std::shared_ptr<const config::Config> config) {
  return state_->reload(std::move(config));
}
void Proxy::drain() { state_->drain(); }
bool Proxy::is_drained() { return state_->is_drained(); }
void Proxy::stop(Duration patience) { state_->stop(patience); }

}  // namespace fairlead::proxy
