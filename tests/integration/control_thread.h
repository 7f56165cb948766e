// The thread that the proxy's monitor lives on, for tests that drive parts of it against real
// servers.
#pragma once

#include <future>
#include <memory>
#include <thread>

#include "cluster/cluster.h"
#include "net/spawner.h"
#include "proxy/server_login.h"

namespace fairlead::test {

/// A loop on a thread of its own, and something that runs on it.
class ControlThread {
 public:
  ControlThread() : thread_([this] { loop_.run(); }) {}
  ~ControlThread() {
    loop_.stop();
    thread_.join();
  }

  net::Loop& loop() { return loop_; }
  /// Runs `work` on the thread and waits for it.
  template <class Work>
  void run(Work work) {
    std::promise<void> done;
    loop_.post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  /// Runs a coroutine to its end.
  void finish(net::Task<void> task) {
    std::promise<void> done;
    loop_.post([&] { net::start(loop_, tell_end(std::move(task), done)); });
    done.get_future().wait();
  }

 private:
  static net::Task<void> tell_end(net::Task<void> task, std::promise<void>& done) {
    co_await std::move(task);
    done.set_value();
  }

  net::Loop loop_;
  std::thread thread_;
};

inline proxy::ServerLogin login_of(const cluster::Endpoint& endpoint) {
  proxy::ServerLogin login;
  login.user = endpoint.user;
  login.database = endpoint.database;
  login.credentials = auth::PlainPassword{auth::SecretText(endpoint.password)};
  return login;
}

inline std::shared_ptr<const net::TlsClient> no_tls() {
  return std::make_shared<const net::TlsClient>(
      net::TlsClient::load(net::TlsMode::kDisable, {}).value());
}

inline proxy::ServerEndpoint endpoint_of(const cluster::Node& node) {
  return {
      .host = node.host, .port = node.port, .tls = no_tls(), .timeout = std::chrono::seconds(1)};
}

}  // namespace fairlead::test
