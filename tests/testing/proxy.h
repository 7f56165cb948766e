// The fairlead program as a child process, for integration tests.
//
// The program is the environment's FAIRLEAD_BINARY, else the one of this build. It dies with the
// test process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "testing/temp_dir.h"

namespace fairlead::test {

/// A port that was free a moment ago. For servers that cannot take port 0.
uint16_t free_port();

/// The four ports of one proxy, all free.
struct ProxyPorts {
  uint16_t automatic = free_port();
  uint16_t reads = free_port();
  uint16_t primary = free_port();
  uint16_t http = free_port();

  /// The [listen] section of a configuration.
  std::string toml() const;
  std::vector<uint16_t> all() const { return {automatic, reads, primary, http}; }
};

/// How the program ended.
struct ProxyEnding {
  int exit_code = -1;
  int signal = 0;
};

class Proxy {
 public:
  /// Runs `fairlead up -c FILE` with `toml` as the file and waits until all of `ports` accept
  /// connections. An Error carries the end of the program's log.
  static Result<std::unique_ptr<Proxy>> start(
      const std::string& toml, const std::vector<uint16_t>& ports,
      std::chrono::milliseconds patience = std::chrono::seconds(15));
  /// Runs it with any arguments and waits for the ports, if there are any.
  static Result<std::unique_ptr<Proxy>> run(
      const std::vector<std::string>& arguments, const std::vector<uint16_t>& ports,
      std::chrono::milliseconds patience = std::chrono::seconds(15));
  /// Stops it if it still runs; an exit code other than 0 is a test failure.
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  pid_t pid() const { return pid_; }
  bool is_running();
  /// Everything that it wrote to standard output and error until now.
  std::string log() const;
  /// Replaces the configuration file and sends SIGHUP. Only after start().
  void reload(const std::string& toml);
  void signal(int number);

  /// Sends SIGTERM and waits; after `patience` SIGKILL, which the ending tells.
  ProxyEnding stop(std::chrono::milliseconds patience = std::chrono::seconds(15));
  /// Waits for an end that was brought about otherwise.
  ProxyEnding wait(std::chrono::milliseconds patience = std::chrono::seconds(15));

 private:
  Proxy() = default;
  static Result<std::unique_ptr<Proxy>> launch(std::unique_ptr<Proxy> proxy,
                                               const std::vector<std::string>& arguments,
                                               const std::vector<uint16_t>& ports,
                                               std::chrono::milliseconds patience);

  TempDir dir_;
  pid_t pid_ = 0;
  bool ended_ = false;
  bool ending_was_seen_ = false;
  ProxyEnding ending_;
};

/// The path of the program under test.
std::string fairlead_binary();

/// Whether somebody listens there.
bool accepts_connections(uint16_t port);

}  // namespace fairlead::test
