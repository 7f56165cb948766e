#include "app/systemd.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>
#include <time.h>

namespace fairlead::app::systemd {

namespace {

// Best effort by design: a supervisor that does not listen is no reason to fail.
void tell(const std::string& state) { (void)sd_notify(0, state.c_str()); }

}  // namespace

void ready(const std::string& status) { tell(fmt::format("READY=1\nSTATUS={}", status)); }
void status(const std::string& line) { tell("STATUS=" + line); }
void stopping() { tell("STOPPING=1\nSTATUS=stopping"); }
void heartbeat() { tell("WATCHDOG=1"); }

void reloading() {
  // Type=notify-reload asks for the moment, on the clock that sd_notify(3) names.
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                   static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000));
}

std::optional<Duration> watchdog_interval() {
  uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return std::nullopt;
  return Duration(microseconds);
}

}  // namespace fairlead::app::systemd
