#include "app/progress_lines.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "app/proxy_report.h"
#include "app/terminal.h"

namespace fairlead::app {

namespace {

std::string head(const cluster::StepView& step) {
  return fmt::format("[{}/{}] {}", step.number, step.total, step.text);
}

}  // namespace

ProgressLines::ProgressLines() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressLines::started(const cluster::StepView& step) {
  if (!is_terminal_) return;
  fmt::print(stderr, "{} ...", head(step));
  (void)std::fflush(stderr);
}

void ProgressLines::finished(const cluster::StepView& step, Duration took) {
  if (is_terminal_)
    say(fmt::format(" {}", short_time(took)));
  else
    say(fmt::format("{} ({})", head(step), short_time(took)));
}

void ProgressLines::failed(const cluster::StepView& step, const Error& error) {
  // The error itself is told once, by the command.
  const std::string how = error.code == ErrorCode::kQueryCanceled ? " stopped" : " failed";
  say(is_terminal_ ? how : head(step) + how);
}

void ProgressLines::noted(const std::string& text) { say(text); }

}  // namespace fairlead::app
