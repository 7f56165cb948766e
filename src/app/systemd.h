// What systemd is told (sd_notify): ready, reloading, stopping, a line for `systemctl status`, and
// the watchdog's heartbeat. Without systemd every call does nothing.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"

namespace fairlead::app::systemd {

void ready(const std::string& status);
void status(const std::string& line);
void reloading();
void stopping();
void heartbeat();

/// How often heartbeat() is expected at least; nullopt: nobody watches.
std::optional<Duration> watchdog_interval();

}  // namespace fairlead::app::systemd
