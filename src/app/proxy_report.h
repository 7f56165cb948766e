// A running proxy in lines for people: its ports, its nodes, its state in one line. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "proxy/proxy.h"

namespace fairlead::app {

/// "127.0.0.1:6432  automatic: ..." for each port.
std::vector<std::string> port_lines(const std::string& host, const proxy::Ports& ports);

/// "127.0.0.1:5601  primary  ..." for each node, with the reason where one serves no reads.
std::vector<std::string> node_lines(const proxy::Stats& stats);

/// "712 clients, 2/2 replicas, lag 8 ms": what `systemctl status` shows.
std::string status_line(const proxy::Stats& stats);

/// "0 ms", "0.4 ms", "8 ms", "1.2 s", "3 min": as exact as a reader needs.
std::string short_time(Duration span);

/// "0 B", "3.4 KiB", "16 MiB".
std::string short_size(uint64_t bytes);

}  // namespace fairlead::app
