// Users from the system's user database.
#include "cluster/os_user.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace fairlead::cluster {

namespace {

OsUser from_entry(const passwd& entry) {
  OsUser user{entry.pw_name, entry.pw_dir, entry.pw_uid, entry.pw_gid, {}};
  int count = 64;
  user.groups.resize(static_cast<size_t>(count));
  // Too small a buffer: getgrouplist() answers -1 and the count it needs.
  if (getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &count) < 0) {
    user.groups.resize(static_cast<size_t>(count));
    getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &count);
  }
  user.groups.resize(static_cast<size_t>(count));
  return user;
}

bool may_search(const struct stat& folder, const OsUser& user) {
  if (user.uid == 0) return true;
  if (folder.st_uid == user.uid) return (folder.st_mode & S_IXUSR) != 0;
  if (std::ranges::find(user.groups, folder.st_gid) != user.groups.end())
    return (folder.st_mode & S_IXGRP) != 0;
  return (folder.st_mode & S_IXOTH) != 0;
}

}  // namespace

Result<OsUser> find_os_user(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer{};
  const int error = getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (error != 0)
    return fail(ErrorCode::kIo, fmt::format("cannot look up the user {}", name),
                std::strerror(error));
  if (found == nullptr)
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("there is no user {} on this machine", name),
                "PostgreSQL refuses to run as root, so its servers run as another user",
                "name an existing user with --os-user, or make one with useradd");
  return from_entry(entry);
}

Result<OsUser> current_os_user() {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer{};
  const int error = getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found);
  if (error == 0 && found != nullptr) return from_entry(entry);
  // Containers run under numbers that have no name; initdb cannot do without one.
  return fail(
      ErrorCode::kIo, fmt::format("the user number {} has no name on this machine", geteuid()),
      error != 0 ? std::strerror(error) : "", "add it to /etc/passwd: initdb needs the name");
}

Result<void> check_reachable(const std::string& path, const OsUser& user) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string folder = path.substr(0, end);
    struct stat info{};
    if (stat(folder.c_str(), &info) != 0)
      return fail(ErrorCode::kIo, fmt::format("cannot look at {}", folder), std::strerror(errno));
    if (!may_search(info, user))
      return fail(ErrorCode::kIo, fmt::format("the user {} cannot enter {}", user.name, folder),
                  fmt::format("the folder's mode is {:o}", info.st_mode & 07777U),
                  fmt::format("choose another place, or chmod o+x {}", folder));
    if (end == std::string::npos) return {};
  }
}

}  // namespace fairlead::cluster
