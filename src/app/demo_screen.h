// The demonstration in figures: a table that is drawn again every second, a line for pipes, JSON
// for machines, and the summary at the end. Pure, but for Redraw.
#pragma once

#include <string>
#include <vector>

#include "app/demo_workload.h"
#include "app/terminal.h"
#include "proxy/proxy.h"

namespace fairlead::app {

/// Two looks at the proxy, `between` apart.
struct DemoFrame {
  Duration elapsed{};
  Duration between{};
  proxy::Stats before;
  proxy::Stats now;
  WorkloadTotals totals;
};

/// Reads by where they went, as the reasons count them.
struct ReadShare {
  uint64_t on_replicas = 0;
  uint64_t on_primary = 0;  // Proven reads that the primary had to answer.
  /// 0 to 100; 0 when there were none.
  double percent() const;
};
ReadShare read_share(const proxy::Stats& stats);

std::vector<std::string> frame_lines(const DemoFrame& frame, const Style& style);
std::string frame_line(const DemoFrame& frame);
std::string frame_json(const DemoFrame& frame);

std::string summary_text(const DemoFrame& frame);
std::string summary_json(const DemoFrame& frame);

/// The first `columns` visible characters; colour sequences take no columns and stay whole.
std::string cut_line(std::string_view line, size_t columns);

/// Draws lines over the ones before, on a terminal.
class Redraw {
 public:
  void show(const std::vector<std::string>& lines);

 private:
  size_t shown_ = 0;
};

}  // namespace fairlead::app
