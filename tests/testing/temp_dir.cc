// mkdtemp and its end.
#include "testing/temp_dir.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>

#include "base/assert.h"
#include "cluster/files.h"

namespace fairlead::test {

TempDir::TempDir() {
  const char* parent = getenv("TMPDIR");
  path_ = fmt::format("{}/fl-XXXXXX", parent == nullptr ? "/tmp" : parent);
  require(mkdtemp(path_.data()) != nullptr, "a temporary folder can be made");
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::write(std::string_view name, std::string_view text) const {
  const std::string file = fmt::format("{}/{}", path_, name);
  require(cluster::write_file(file, text, 0600, nullptr).has_value(),
          "a temporary file can be written");
  return file;
}

}  // namespace fairlead::test
