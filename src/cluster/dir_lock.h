// The right to work on a cluster: an flock on DIR/lock, held until the object is destroyed.
//
// Tools that we start hold it too, through the inherited descriptor. When a command is killed, its
// tools may live on (the WAL receiver inside pg_basebackup does, for ever), and would write into
// what the next command repairs or removes. So the next command finds them by the lock, ends them,
// and only then has it.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "base/error.h"
#include "cluster/fd.h"

namespace fairlead::cluster {

class DirLock {
 public:
  /// `lock_file` as the kernel names it, without symbolic links. Waits up to `patience` for another
  /// command, then says that somebody else is at work.
  static Result<DirLock> take(const std::string& lock_file,
                              std::chrono::milliseconds patience = std::chrono::seconds(10));
  int fd() const { return file_.get(); }

 private:
  explicit DirLock(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

}  // namespace fairlead::cluster
