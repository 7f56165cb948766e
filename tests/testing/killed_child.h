// A piece of work that is killed in the middle, as a command is by kill -9.
#pragma once

#include <functional>

#include "cluster/progress.h"

namespace fairlead::test {

/// Calls back at the beginning of one step.
class AtStep final : public cluster::ProgressSink {
 public:
  AtStep(size_t step, std::function<void()> act) : step_(step), act_(std::move(act)) {}
  void started(const cluster::StepView& step) override {
    if (step.number == step_) act_();
  }
  void finished(const cluster::StepView&, Duration) override {}
  void failed(const cluster::StepView&, const Error&) override {}

 private:
  size_t step_;
  std::function<void()> act_;
};

/// Runs `work` in a child of this process that is killed `delay` after the work began `step`, at
/// its end at the latest.
void run_and_kill(size_t step, std::chrono::microseconds delay,
                  const std::function<void(cluster::ProgressSink&)>& work);

}  // namespace fairlead::test
