// The operating system's users: PostgreSQL refuses to run as root, so root runs its servers as
// another.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace fairlead::cluster {

struct OsUser {
  std::string name;
  std::string home;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

Result<OsUser> find_os_user(const std::string& name);
Result<OsUser> current_os_user();

/// Whether `user` may walk through every folder on the way to `path`, and into it, judged by mode
/// bits. Names the first folder that stops them.
Result<void> check_reachable(const std::string& path, const OsUser& user);

}  // namespace fairlead::cluster
