// The log facade. Lines go to standard error; what writes them is spdlog, behind this header so
// that nobody else sees it.
//
// Usable from every thread. Messages are sentences without a full stop; never put a password, a key
// or a client's literal in one.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace fairlead::log {

enum class Level : uint8_t { kDebug, kInfo, kWarning, kError, kOff };

void set_level(Level level);
bool enabled(Level level);
void write(Level level, std::string_view line);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug))
    write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kWarning))
    write(Level::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kError))
    write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace fairlead::log
