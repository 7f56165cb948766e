#include "app/own_name.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace fairlead::app {

namespace {

constexpr std::string_view kName = "fairlead";

}  // namespace

std::string name_in_path(const std::string& own, std::string_view path) {
  while (!path.empty()) {
    const size_t colon = std::min(path.find(':'), path.size());
    const std::filesystem::path candidate = std::filesystem::path(path.substr(0, colon)) / kName;
    path.remove_prefix(std::min(colon + 1, path.size()));
    std::error_code error;
    // The first one of that name is what the shell runs, whether it is we or not.
    if (!std::filesystem::is_regular_file(candidate, error)) continue;
    const bool is_own = std::filesystem::equivalent(candidate, own, error);
    return is_own ? std::string(kName) : own;
  }
  return own;
}

std::string own_name() {
  std::error_code error;
  const std::string own = std::filesystem::read_symlink("/proc/self/exe", error).string();
  const char* path = std::getenv("PATH");
  if (error || own.contains(' ')) return std::string(kName);
  return name_in_path(own, path == nullptr ? "" : path);
}

}  // namespace fairlead::app
