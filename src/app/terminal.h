// What standard output and standard error are, and how errors look on them. Data goes to standard
// output, everything else to standard error.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/load.h"

namespace fairlead::app {

/// Words in colour, where colour is wanted; else the words.
class Style {
 public:
  explicit Style(bool coloured) : coloured_(coloured) {}

  std::string bold(std::string_view text) const { return in("1", text); }
  std::string dim(std::string_view text) const { return in("2", text); }
  std::string red(std::string_view text) const { return in("31", text); }
  std::string green(std::string_view text) const { return in("32", text); }
  std::string yellow(std::string_view text) const { return in("33", text); }

 private:
  std::string in(std::string_view code, std::string_view text) const;
  bool coloured_;
};

/// NO_COLOR (no-color.org) beats CLICOLOR_FORCE, which beats what the terminal is. Pure.
bool wants_colour(bool is_terminal, const config::Environment& environment);

/// The process's own environment. An empty variable counts as not set: that is what a compose file
/// or a unit leaves behind for a value that nobody gave.
config::Environment process_environment();
/// The names of all of its variables, in no order.
std::vector<std::string> process_variables();

bool stdout_is_terminal();
Style stdout_style();
Style stderr_style();

/// Columns and lines of the terminal; 80 x 24 where there is none.
struct ScreenSize {
  size_t columns = 80;
  size_t lines = 24;
};
ScreenSize screen_size();

/// An error for people: what, then where and why, then what to do next, a line each. Pure.
std::string error_text(const Error& error, const Style& style);

/// error_text() on standard error.
void complain(const Error& error);

/// A line on standard error: progress, warnings and next steps, never data.
void say(std::string_view line);

/// Data on standard output, flushed at once: a reader behind a pipe sees it now.
void print(std::string_view text);

}  // namespace fairlead::app
