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

/// Back to the line's beginning, with nothing on it.
const std::string kAnew = "\r\x1b[K";

/// A log is told this often how far a step is.
constexpr std::chrono::seconds kTellEvery{10};

}  // namespace

std::string advance_text(const cluster::Advance& advance) {
  std::string out =
      fmt::format("{} of {}", short_size(advance.done_bytes), short_size(advance.total_bytes));
  const double seconds = in_seconds(advance.elapsed);
  if (advance.done_bytes == 0 || seconds <= 0) return out;
  const double rate = static_cast<double>(advance.done_bytes) / seconds;
  out += fmt::format(", {}/s", short_size(static_cast<uint64_t>(rate)));
  if (advance.done_bytes >= advance.total_bytes) return out;
  const double left = static_cast<double>(advance.total_bytes - advance.done_bytes) / rate;
  return out + fmt::format(", {} left", short_time(Duration(static_cast<int64_t>(left * 1e6))));
}

ProgressLines::ProgressLines() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressLines::started(const cluster::StepView& step) {
  has_advanced_ = false;
  if (!is_terminal_) return;
  fmt::print(stderr, "{} ...", head(step));
  (void)std::fflush(stderr);
}

void ProgressLines::finished(const cluster::StepView& step, Duration took) {
  if (is_terminal_)
    say(fmt::format("{} {}", has_advanced_ ? kAnew + head(step) + " ..." : "", short_time(took)));
  else
    say(fmt::format("{} ({})", head(step), short_time(took)));
}

void ProgressLines::failed(const cluster::StepView& step, const Error& error) {
  // The error itself is told once, by the command.
  const std::string how = error.code == ErrorCode::kQueryCanceled ? " stopped" : " failed";
  say(is_terminal_ ? how : head(step) + how);
}

void ProgressLines::advanced(const cluster::StepView& step, const cluster::Advance& advance) {
  const bool first = !has_advanced_;
  has_advanced_ = true;
  if (is_terminal_) {
    fmt::print(stderr, "{}{} ... {}", kAnew, head(step), advance_text(advance));
    (void)std::fflush(stderr);
    return;
  }
  if (!first && advance.elapsed - told_at_ < kTellEvery) return;
  told_at_ = advance.elapsed;
  say(fmt::format("{}: {}", head(step), advance_text(advance)));
}

void ProgressLines::noted(const std::string& text) { say(text); }

}  // namespace fairlead::app
