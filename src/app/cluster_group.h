// What the commands of `fairlead cluster` share: the folder's option, and a run with signals and
// progress around one step of work.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "app/command_line.h"
#include "app/exit_code.h"
#include "app/progress_lines.h"
#include "app/stop_signals.h"
#include "app/terminal.h"

namespace fairlead::app {

/// The option --dir, which every command of the group needs.
void add_dir_option(CommandBuilder command, std::string& dir);

/// The exit code for an error of src/cluster, told on standard error.
ExitCode cluster_failed(const Error& error);

/// --dry-run: the plan is text for people in either form.
ExitCode show_plan(const Result<std::string>& plan, bool json);

/// The value of an option that is a span of time ("10s"), which must be longer than nothing. False:
/// it is none, which standard error has been told.
bool take_span(std::string_view option, const std::string& text, std::chrono::milliseconds& into);

/// Ctrl-C once stops between steps; twice ends the process, which the next command cleans up after.
inline constexpr int kClusterStopsMax = 2;

/// Runs `work(progress, stop)`, then `done(value)` on success.
template <class Work, class Done>
ExitCode run_cluster_work(Work&& work, Done&& done) {
  StopSignals signals(StopSignals::Hangup::kStops, kClusterStopsMax);
  ProgressLines progress;
  auto result = work(progress, signals.stop_flag());
  if (!result) return cluster_failed(result.error());
  return done(std::move(result));
}

}  // namespace fairlead::app
