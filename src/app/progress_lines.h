// A cluster command's steps as lines on standard error: "[3/9] clone node1 into node2 ... 1.2 s".
#pragma once

#include <string>

#include "cluster/progress.h"

namespace fairlead::app {

/// On a terminal a step's line appears when it begins; elsewhere when it is done, so that logs have
/// whole lines.
class ProgressLines final : public cluster::ProgressSink {
 public:
  ProgressLines();
  void started(const cluster::StepView& step) override;
  void finished(const cluster::StepView& step, Duration took) override;
  void failed(const cluster::StepView& step, const Error& error) override;
  void noted(const std::string& text) override;
  void advanced(const cluster::StepView& step, const cluster::Advance& advance) override;

 private:
  bool is_terminal_;
  bool has_advanced_ = false;  // The step's line shows how far it is.
  Duration told_at_{0};        // Of the step's time, when a log was last told how far it is.
};

/// "120 MiB of 2.3 GiB, 56 MiB/s, 40 s left". Pure.
std::string advance_text(const cluster::Advance& advance);

}  // namespace fairlead::app
