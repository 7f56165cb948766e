#include "app/stop_signals.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "app/exit_code.h"
#include "base/assert.h"

namespace fairlead::app {

namespace {

// Handlers have no object to refer to. All of it is lock-free, so that it may be touched in one.
std::atomic<bool> stop_asked = false;
std::atomic<int> stop_count = 0;
std::atomic<int> stops_allowed = 0;
std::atomic<bool> reload_asked = false;
std::atomic<bool> hangup_reloads = false;
std::atomic<int> wake_fd = -1;
int sleep_fd = -1;
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

constexpr std::array kCaught{SIGINT, SIGTERM, SIGHUP, SIGPIPE};
std::array<struct sigaction, kCaught.size()> former{};

void on_signal(int number) {
  const int saved = errno;
  if (number == SIGHUP && hangup_reloads) {
    reload_asked = true;
  } else {
    stop_asked = true;
    if (++stop_count >= stops_allowed) _exit(static_cast<int>(ExitCode::kError));
  }
  // A full pipe means that the sleeper will wake up anyway.
  if (write(wake_fd, "x", 1) < 0) errno = saved;
  errno = saved;
}

}  // namespace

StopSignals::StopSignals(Hangup hangup, int stops_max) {
  require(wake_fd == -1, "one StopSignals at a time");
  std::array<int, 2> ends{};
  require(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0, "a pipe can be made at start");
  sleep_fd = ends[0];
  wake_fd = ends[1];
  stop_asked = false;
  stop_count = 0;
  stops_allowed = stops_max;
  reload_asked = false;
  hangup_reloads = hangup == Hangup::kReloads;
  struct sigaction action{};
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < kCaught.size(); ++i) {
    // A reader that goes away must not end a proxy or leave a cluster behind.
    action.sa_handler = kCaught[i] == SIGPIPE ? SIG_IGN : on_signal;
    sigaction(kCaught[i], &action, &former[i]);
  }
}

StopSignals::~StopSignals() {
  for (size_t i = 0; i < kCaught.size(); ++i) sigaction(kCaught[i], &former[i], nullptr);
  close(wake_fd.exchange(-1));
  close(sleep_fd);
}

const std::atomic<bool>& StopSignals::stop_flag() const { return stop_asked; }
int StopSignals::stops() const { return stop_count; }
bool StopSignals::take_reload() { return reload_asked.exchange(false); }

void StopSignals::wait(Duration span) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(span).count();
  pollfd wake{sleep_fd, POLLIN, 0};
  if (poll(&wake, 1, static_cast<int>(left)) <= 0) return;
  std::array<char, 64> swallowed{};
  while (read(sleep_fd, swallowed.data(), swallowed.size()) > 0) {
  }
}

}  // namespace fairlead::app
