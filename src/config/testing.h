// For the tests of this folder: sources with an environment and files made of maps.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "config/load.h"

namespace fairlead::config {

using Texts = std::map<std::string, std::string, std::less<>>;

inline constexpr std::string_view kMinimal = "[cluster.main]\nnodes = [\"db1:5432\", \"db2\"]\n";

inline Environment environment_of(Texts variables) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

inline FileReader files_of(Texts files) {
  return [files = std::move(files)](const std::string& path) -> Result<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return fail(ErrorCode::kIo, "no such file");
    return found->second;
  };
}

inline Sources sources_of(std::string_view text, Texts variables = {}, Texts files = {}) {
  Sources sources;
  sources.file_text = std::string(text);
  sources.file_name = "test.toml";
  for (const auto& [name, value] : variables) sources.variables.push_back(name);
  sources.environment = environment_of(std::move(variables));
  sources.read_file = files_of(std::move(files));
  return sources;
}

/// The text with the minimal cluster behind it, so that only `text` can be wrong.
inline std::string with_cluster(std::string_view text) {
  return std::string(text) + "\n" + std::string(kMinimal);
}

inline std::vector<std::string> lines_of(const Problems& problems) {
  std::vector<std::string> lines;
  for (const Problem& problem : problems) lines.push_back(describe(problem, "test.toml"));
  return lines;
}

/// What is wrong, a line each; empty when nothing is.
inline std::vector<std::string> problems_of(const Sources& sources) {
  const auto config = load(sources);
  return config ? std::vector<std::string>{} : lines_of(config.error());
}

/// The Config, or a failed test and an empty one.
inline Config loaded(const Sources& sources) {
  auto config = load(sources);
  if (config) return std::move(*config);
  ADD_FAILURE() << testing::PrintToString(lines_of(config.error()));
  return {};
}

}  // namespace fairlead::config
