#include "app/proxy_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fairlead::app {

namespace {

std::string address(const std::string& host, uint16_t port) {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

/// One decimal below ten, none above: more digits would be noise.
std::string rounded(double value, std::string_view unit) {
  return value < 10 && value != 0 ? fmt::format("{:.1f} {}", value, unit)
                                  : fmt::format("{:.0f} {}", value, unit);
}

std::string node_text(const proxy::NodeStats& node) {
  std::string out = node.role;
  if (node.state != "up") out += ", " + node.state;
  if (node.role == "replica" && node.usable_for_reads)
    out += fmt::format(", {} behind", short_size(node.lag_bytes));
  if (!node.usable_for_reads && !node.reason.empty() && node.role != "primary")
    out += fmt::format(", serves no reads: {}", node.reason);
  return out;
}

}  // namespace

std::string short_time(Duration span) {
  const double us = static_cast<double>(span.count());
  if (us < 1e6) return rounded(us / 1e3, "ms");
  if (us < 60e6) return rounded(us / 1e6, "s");
  return rounded(us / 60e6, "min");
}

std::string short_size(uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return rounded(value, kUnits[unit]);
}

std::vector<std::string> port_lines(const std::string& host, const proxy::Ports& ports) {
  return {fmt::format("{}  automatic: reads to replicas, all else to the primary",
                      address(host, ports.automatic)),
          fmt::format("{}  reads only, on replicas", address(host, ports.read)),
          fmt::format("{}  the primary only", address(host, ports.primary))};
}

std::vector<std::string> node_lines(const proxy::Stats& stats) {
  size_t width = 0;
  for (const auto& node : stats.nodes) width = std::max(width, node.name.size());
  std::vector<std::string> lines;
  for (const auto& node : stats.nodes)
    lines.push_back(fmt::format("{:<{}}  {}", node.name, width, node_text(node)));
  return lines;
}

std::string status_line(const proxy::Stats& stats) {
  size_t replicas = 0;
  size_t usable = 0;
  bool has_primary = false;
  Duration lag{};
  for (const auto& node : stats.nodes) {
    if (node.role == "primary") {
      has_primary = true;
      continue;
    }
    ++replicas;
    if (!node.usable_for_reads) continue;
    ++usable;
    lag = std::max(lag, node.lag);
  }
  std::string out = fmt::format("{} client{}, {}/{} replicas", stats.clients,
                                stats.clients == 1 ? "" : "s", usable, replicas);
  if (usable > 0) out += fmt::format(", lag {}", short_time(lag));
  if (!has_primary) out += ", NO PRIMARY";
  return out;
}

}  // namespace fairlead::app
