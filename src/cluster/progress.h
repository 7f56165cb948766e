// How a cluster command tells its caller what it is doing, and how the caller stops it.
//
// The commands print nothing themselves: the command line decides whether a step is a line, a bar
// or JSON. Calls come from the thread that runs the command.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/time.h"

namespace fairlead::cluster {

/// Set from anywhere, a signal handler included: the running command ends its children (SIGTERM,
/// then SIGKILL), leaves a cluster that create can finish or destroy can remove, and returns
/// kQueryCanceled.
using StopFlag = std::atomic<bool>;

/// One step as people see it.
struct StepView {
  size_t number = 0;  // From 1.
  size_t total = 0;
  std::string text;  // "clone node1 into node2"
};

/// How far a long step is.
struct Advance {
  uint64_t done_bytes = 0;
  uint64_t total_bytes = 0;  // As estimated when the step began; never less than what is done.
  Duration elapsed{0};

  bool operator==(const Advance&) const = default;
};

class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void started(const StepView& step) = 0;
  virtual void finished(const StepView& step, Duration took) = 0;
  virtual void failed(const StepView& step, const Error& error) = 0;
  /// What is no step of a plan: an interrupted operation that is settled first, a decision.
  virtual void noted(const std::string& /*text*/) {}
  /// Between started() and finished() of a step that takes long, about once a second.
  virtual void advanced(const StepView& /*step*/, const Advance& /*advance*/) {}
};

/// For callers that show nothing.
class SilentProgress final : public ProgressSink {
 public:
  void started(const StepView&) override {}
  void finished(const StepView&, Duration) override {}
  void failed(const StepView&, const Error&) override {}
};

}  // namespace fairlead::cluster
