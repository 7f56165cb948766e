#include "net/open_files.h"

#include <sys/resource.h>

namespace fairlead::net {
namespace {

rlimit limit_now() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);  // Cannot fail for this process itself.
  return limit;
}

}  // namespace

uint64_t open_files_max() { return limit_now().rlim_cur; }

uint64_t raise_open_files_max() {
  rlimit limit = limit_now();
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);  // Where it fails, the old one stays in force.
  return open_files_max();
}

}  // namespace fairlead::net
