// Starting, watching and stopping the program under test.
#include "testing/proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <set>

#include "base/assert.h"
#include "cluster/fd.h"
#include "cluster/files.h"
#include "cluster/ports.h"
#include "cluster/subprocess.h"
#include "testing/eventually.h"

namespace fairlead::test {

namespace {

constexpr const char* kConfigName = "fairlead.toml";
constexpr const char* kLogName = "proxy.log";

}  // namespace

uint16_t free_port() {
  // The system's next free port may be the one that it gave a moment ago, so what was given is
  // remembered.
  static std::mutex mutex;
  static std::set<uint16_t> given;
  const std::lock_guard lock(mutex);
  for (;;) {
    const auto reserved = cluster::PortReservation::make("127.0.0.1", 0);
    require(reserved.has_value(), "the system has a free port");
    if (given.insert(reserved->port()).second) return reserved->port();
  }
}

std::string ProxyPorts::toml() const {
  return fmt::format(
      "[listen]\nhost = \"127.0.0.1\"\nport = {}\nread_port = {}\nprimary_port = {}\nhttp_port = "
      "{}\n",
      automatic, reads, primary, http);
}

std::string fairlead_binary() {
  const char* named = std::getenv("FAIRLEAD_BINARY");
  return named != nullptr && *named != '\0' ? named : FAIRLEAD_BINARY_BUILT;
}

bool accepts_connections(uint16_t port) {
  const cluster::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

Result<std::unique_ptr<Proxy>> Proxy::launch(std::unique_ptr<Proxy> proxy,
                                             const std::vector<std::string>& arguments,
                                             const std::vector<uint16_t>& ports,
                                             std::chrono::milliseconds patience) {
  const std::string log = proxy->dir_.path() + "/" + kLogName;
  const cluster::Fd out(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!out) return cluster::fail_errno("create", log, errno);
  cluster::Command command;
  command.arguments = {fairlead_binary()};
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.stop_signal = SIGKILL;  // When the test process dies.
  const auto pid = cluster::spawn(command, {-1, out.get(), out.get()});
  proxy->ended_ = !pid.has_value();
  if (!pid) return std::unexpected(pid.error());
  proxy->pid_ = *pid;
  const bool up = eventually(
      [&] { return !proxy->is_running() || std::ranges::all_of(ports, accepts_connections); },
      patience);
  if (up && proxy->is_running()) return proxy;
  if (ports.empty() && up) return proxy;  // It had nothing to listen on, and has done its work.
  Error error{ErrorCode::kCannotConnectNow,
              proxy->is_running() ? "the proxy does not listen in time"
                                  : "the proxy ended before it listened",
              cluster::tail(proxy->log(), 20)};
  proxy->stop();
  return std::unexpected(std::move(error));
}

Result<std::unique_ptr<Proxy>> Proxy::start(const std::string& toml,
                                            const std::vector<uint16_t>& ports,
                                            std::chrono::milliseconds patience) {
  std::unique_ptr<Proxy> proxy(new Proxy);
  const std::string file = proxy->dir_.write(kConfigName, toml);
  // Servers and news go from one worker to another on any machine.
  return launch(std::move(proxy), {"up", "-c", file, "--workers", "2"}, ports, patience);
}

Result<std::unique_ptr<Proxy>> Proxy::run(const std::vector<std::string>& arguments,
                                          const std::vector<uint16_t>& ports,
                                          std::chrono::milliseconds patience) {
  return launch(std::unique_ptr<Proxy>(new Proxy), arguments, ports, patience);
}

Proxy::~Proxy() {
  if (ending_was_seen_ || pid_ == 0) return;
  const ProxyEnding ending = stop();
  if (ending.exit_code != 0)
    ADD_FAILURE() << fmt::format("the proxy ended with code {}, signal {}: {}", ending.exit_code,
                                 ending.signal, cluster::tail(log(), 20));
}

bool Proxy::is_running() {
  if (ended_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  ended_ = true;
  if (WIFEXITED(status))
    ending_.exit_code = WEXITSTATUS(status);
  else
    ending_.signal = WTERMSIG(status);
  return false;
}

std::string Proxy::log() const {
  return cluster::read_file(dir_.path() + "/" + kLogName).value_or(std::string());
}

void Proxy::reload(const std::string& toml) {
  dir_.write(kConfigName, toml);
  signal(SIGHUP);
}

void Proxy::signal(int number) {
  if (is_running()) kill(pid_, number);
}

ProxyEnding Proxy::wait(std::chrono::milliseconds patience) {
  ending_was_seen_ = true;
  if (eventually([this] { return !is_running(); }, patience)) return ending_;
  signal(SIGKILL);
  require(eventually([this] { return !is_running(); }), "a killed child ends");
  return ending_;
}

ProxyEnding Proxy::stop(std::chrono::milliseconds patience) {
  signal(SIGTERM);
  return wait(patience);
}

}  // namespace fairlead::test
