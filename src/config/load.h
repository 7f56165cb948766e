// From text, environment and flags to a Config, or to everything that is wrong with them.
//
// Pure: the file's text is passed in; environment and other files are asked for through functions.
// Precedence: flag > environment (FAIRLEAD_...) > file or URLs > default (docs/CONFIG.md).
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"

namespace fairlead::config {

/// One thing that is wrong. Several may be about one key.
struct Problem {
  uint32_t line = 0;  // In the file, from 1; 0: not from the file.
  uint32_t column = 0;
  std::string key;       // Full key, or empty where no key is to blame (a syntax error).
  Error error;           // code is always kConfig.
  bool by_flag = false;  // The command line is to blame, not a file or variable.

  bool operator==(const Problem&) const = default;
};

using Problems = std::vector<Problem>;

/// "fairlead.toml:3:1: proxy.worker: unknown key ...", in one line.
std::string describe(const Problem& problem, std::string_view file_name);

/// The value of an environment variable; nullopt: not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// What a file contains; an error's detail is the reason alone. Relative paths are relative to the
/// working directory.
using FileReader = std::function<Result<std::string>(const std::string& path)>;

/// A value given on the command line: `key` is a full key such as "listen.port", `flag` how the
/// user wrote it, such as "--port".
struct FlagValue {
  std::string key;
  std::string value;
  std::string flag;
};

/// A PostgreSQL connection URL and where it came from ("--primary", "DATABASE_URL").
struct UrlSource {
  std::string url;
  std::string where;
};

struct Sources {
  std::optional<std::string> file_text;  // nullopt: no file.
  std::string file_name;                 // For messages and origins only.
  std::optional<UrlSource> primary_url;  // Instead of a file; with both, load() refuses.
  std::vector<UrlSource> replica_urls;   // Only with primary_url.
  std::vector<FlagValue> flags;
  Environment environment;  // Empty: nothing is set.
  /// The names of all variables, so that one which no key takes is told of. Others may be among
  /// them, and what is not set.
  std::vector<std::string> variables;
  FileReader read_file;  // Empty: every *_file key is an error.
};

/// Reads and validates. On failure: every problem, in the order of the file, then the others.
std::expected<Config, Problems> load(const Sources& sources);

/// A Config with the one cluster "main" and every database passed through to it. The first URL is
/// not trusted to be the primary: roles are discovered. User, password, database name and sslmode
/// come from `primary`; a replica's URL may leave them out or repeat them, not contradict them.
std::expected<Config, Problems> from_urls(const UrlSource& primary,
                                          const std::vector<UrlSource>& replicas,
                                          const Environment& environment);

}  // namespace fairlead::config
