// The child that cleans up.
#include "testing/reaper.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "cluster/commands.h"
#include "cluster/files.h"

namespace fairlead::test {

namespace {

[[noreturn]] void wait_and_destroy(int pipe, const std::string& cluster_dir,
                                   const std::string& parent_dir) {
  setsid();  // Ctrl-C is for the tests.
  const int null = open("/dev/null", O_RDWR);
  for (int stream = 0; stream < 3; ++stream)
    dup2(null, stream);  // Runners wait for the end of our output.
  char byte = 0;
  if (read(pipe, &byte, 1) == 1) _exit(0);
  cluster::SilentProgress nobody;
  const cluster::StopFlag never = false;
  const bool gone =
      !cluster::exists(cluster_dir) || cluster::destroy(cluster_dir, nobody, never).has_value();
  if (gone) rmdir(parent_dir.c_str());
  _exit(gone ? 0 : 1);
}

}  // namespace

Reaper::Reaper(const std::string& cluster_dir, const std::string& parent_dir) {
  int ends[2];
  require(pipe2(ends, O_CLOEXEC) == 0, "a pipe can be made");
  child_ = fork();
  require(child_ >= 0, "a child can be forked");
  if (child_ == 0) {
    close(ends[1]);
    wait_and_destroy(ends[0], cluster_dir, parent_dir);
  }
  close(ends[0]);
  pipe_ = ends[1];
}

Reaper::~Reaper() {
  const char byte = 0;
  if (write(pipe_, &byte, 1) == 1) waitpid(child_, nullptr, 0);
  close(pipe_);
}

}  // namespace fairlead::test
