// A folder under $TMPDIR (/tmp) that goes when its owner goes. Its path is short, for Unix sockets.
#pragma once

#include <string>
#include <string_view>

namespace fairlead::test {

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  /// Writes a file (mode 0600) and returns its path. Aborts the program when it cannot.
  std::string write(std::string_view name, std::string_view text) const;

 private:
  std::string path_;
};

}  // namespace fairlead::test
