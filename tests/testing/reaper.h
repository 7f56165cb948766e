// Destroys a test's cluster when the test process dies without doing so: abort, kill -9, a runner's
// timeout.
#pragma once

#include <sys/types.h>

#include <string>

namespace fairlead::test {

/// A child process that waits for the end of this one, seen by the end of a pipe. Made before the
/// cluster and ended after it.
class Reaper {
 public:
  /// `cluster_dir` lies in `parent_dir`; both go.
  Reaper(const std::string& cluster_dir, const std::string& parent_dir);
  /// All is destroyed already: the child ends without doing anything.
  ~Reaper();
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;

 private:
  pid_t child_ = 0;
  int pipe_ = -1;
};

}  // namespace fairlead::test
