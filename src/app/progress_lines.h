// A cluster command's steps as lines on standard error: "[3/9] clone node1 into node2 ... 1.2 s".
#pragma once

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

 private:
  bool is_terminal_;
};

}  // namespace fairlead::app
