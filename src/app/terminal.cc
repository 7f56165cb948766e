#include "app/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace fairlead::app {

std::string Style::in(std::string_view code, std::string_view text) const {
  return coloured_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

bool wants_colour(bool is_terminal, const config::Environment& environment) {
  if (environment("NO_COLOR")) return false;
  if (const auto forced = environment("CLICOLOR_FORCE"); forced && *forced != "0") return true;
  return is_terminal && environment("TERM").value_or("dumb") != "dumb";
}

config::Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  };
}

std::vector<std::string> process_variables() {
  std::vector<std::string> names;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

bool stdout_is_terminal() { return isatty(STDOUT_FILENO) == 1; }

Style stdout_style() { return Style(wants_colour(stdout_is_terminal(), process_environment())); }

Style stderr_style() {
  return Style(wants_colour(isatty(STDERR_FILENO) == 1, process_environment()));
}

ScreenSize screen_size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {};
  return {size.ws_col, size.ws_row};
}

std::string error_text(const Error& error, const Style& style) {
  std::string out = fmt::format("{} {}\n", style.red("error:"), error.message);
  if (!error.detail.empty()) out += fmt::format("  why:  {}\n", error.detail);
  if (!error.hint.empty()) out += fmt::format("  next: {}\n", error.hint);
  return out;
}

void complain(const Error& error) { fmt::print(stderr, "{}", error_text(error, stderr_style())); }

void say(std::string_view line) { fmt::print(stderr, "{}\n", line); }

void print(std::string_view text) {
  // A reader that went away is its own business; SIGPIPE ends the short commands, and the long ones
  // go on without an audience.
  (void)std::fwrite(text.data(), 1, text.size(), stdout);
  (void)std::fflush(stdout);
}

}  // namespace fairlead::app
