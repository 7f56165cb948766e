// Steps, one after the other.
#include "cluster/run_plan.h"

#include <algorithm>
#include <chrono>

namespace fairlead::cluster {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

std::unexpected<Error> stopped() {
  return fail(ErrorCode::kQueryCanceled, "stopped on request", {},
              "run the command again to go on");
}

Result<void> report_and_run(StepRunner& runner, const Plan& plan, size_t index,
                            const ClusterState& state, ProgressSink& progress) {
  const StepView view{index + 1, plan.size(), describe(plan[index], state)};
  progress.started(view);
  const auto began = Clock::now();
  runner.tell([&](uint64_t done_bytes, uint64_t total_bytes) {
    progress.advanced(view, {done_bytes, std::max(done_bytes, total_bytes),
                             std::chrono::duration_cast<Duration>(Clock::now() - began)});
  });
  auto done = runner.carry_out(plan[index]);
  runner.tell({});
  if (done)
    progress.finished(view, std::chrono::duration_cast<Duration>(Clock::now() - began));
  else
    progress.failed(view, done.error());
  return done;
}

Result<void> run_plan(StepRunner& runner, const Plan& plan, const ClusterState& state,
                      ProgressSink& progress, const StopFlag& stop) {
  for (size_t i = 0; i < plan.size(); ++i) {
    if (stop.load()) return stopped();
    if (auto done = report_and_run(runner, plan, i, state, progress); !done) return done;
  }
  return {};
}

}  // namespace fairlead::cluster
