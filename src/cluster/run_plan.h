// Carries plans out step by step and tells about it.
#pragma once

#include "base/error.h"
#include "cluster/plan.h"
#include "cluster/progress.h"
#include "cluster/step_runner.h"

namespace fairlead::cluster {

/// What a command ends with when the stop flag was set.
std::unexpected<Error> stopped();

/// The step of that index, told to `progress` at its beginning and end.
Result<void> report_and_run(StepRunner& runner, const Plan& plan, size_t index,
                            const ClusterState& state, ProgressSink& progress);

/// Carries a plan out without a record: its steps find out for themselves what is done already.
Result<void> run_plan(StepRunner& runner, const Plan& plan, const ClusterState& state,
                      ProgressSink& progress, const StopFlag& stop);

}  // namespace fairlead::cluster
