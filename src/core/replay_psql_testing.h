// Runs a script on a real PostgreSQL, for the tests that compare us with it. They are skipped
// unless FAIRLEAD_TEST_DATABASE is set to a connection string of a superuser on a throw-away
// server, such as "host=127.0.0.1 port=5599 user=postgres".
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::core::testing {

inline std::optional<std::string> test_database() {
  const char* database = std::getenv("FAIRLEAD_TEST_DATABASE");
  return database ? std::optional<std::string>(database) : std::nullopt;
}

/// What psql writes to its standard output, by lines: of rows only their fields, parted by '|', and
/// no command tags. Errors do not stop it. nullopt: psql could not be run.
inline std::optional<std::vector<std::string>> run_psql(const std::string& database,
                                                        const std::string& script) {
  char path[] = "/tmp/fairlead_psql_XXXXXX";
  const int file = mkstemp(path);
  if (file < 0) return {};
  std::FILE* out = fdopen(file, "w");
  std::fwrite(script.data(), 1, script.size(), out);
  std::fclose(out);

  const std::string command = "psql -X -q -At -d '" + database + "' -f " + path + " 2>/dev/null";
  std::FILE* in = popen(command.c_str(), "r");
  std::vector<std::string> lines;
  std::string line;
  for (int c = 0; in && (c = std::fgetc(in)) != EOF;) {
    if (c != '\n') {
      line += static_cast<char>(c);
      continue;
    }
    lines.push_back(std::move(line));
    line.clear();
  }
  const bool ran = in && pclose(in) == 0;
  std::remove(path);
  if (!ran) return {};
  return lines;
}

}  // namespace fairlead::core::testing
