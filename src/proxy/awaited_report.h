// A report that was asked of all workers and is on its way. Of the worker that asked, and on its
// thread only.
#pragma once

#include <functional>
#include <optional>

#include "console/report.h"

namespace fairlead::proxy {

struct AwaitedReport {
  std::optional<console::Report> report;  // Once every worker has answered.
  /// Called then. Whoever asked empties it before it goes away.
  std::function<void()> on_report;
  console::Report so_far;
  size_t missing = 0;
};

}  // namespace fairlead::proxy
