// Runs a script with psql on a real PostgreSQL, for the tests that compare Fairlead's notion of a
// session with it.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "testing/test_cluster.h"

namespace fairlead::test {

/// A superuser's connection string for a server of this process's own. The scripts know the
/// superuser as "postgres".
inline const std::string& test_database() {
  static TestCluster cluster(0, [](cluster::ClusterSpec& spec) { spec.superuser = "postgres"; });
  static const std::string conninfo = cluster.superuser().conninfo();
  return conninfo;
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

}  // namespace fairlead::test
