// Files, folders, the lock.
#include "cluster/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cluster/fd.h"

namespace fairlead::cluster {

namespace {

constexpr off_t kLogEndBytes = 64 * 1024;

Result<void> write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail_errno("write", path, errno);
    text.remove_prefix(static_cast<size_t>(wrote));
  }
  return {};
}

std::string read_rest(int fd) {
  std::string text;
  std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
}

/// A name survives a power cut only when its folder was written, too.
Result<void> sync_folder_of(const std::string& path) {
  const std::string parent = path.substr(0, std::max<size_t>(path.rfind('/'), 1));
  const Fd folder(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot do it for folders, and say EINVAL.
  if (!folder || (fsync(folder.get()) != 0 && errno != EINVAL))
    return fail_errno("write", parent, errno);
  return {};
}

}  // namespace

std::unexpected<Error> fail_errno(std::string_view what, const std::string& path, int error) {
  std::string hint;
  if (error == ENOSPC || error == EDQUOT) hint = "free some space, then run the command again";
  if (error == EACCES || error == EPERM)
    hint = "run the command as the user who created the cluster, or as root";
  if (error == EROFS) hint = "choose a folder on a file system that can be written";
  return fail(ErrorCode::kIo, fmt::format("cannot {} {}", what, path), std::strerror(error),
              std::move(hint));
}

Result<std::string> read_file(const std::string& path) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return fail_errno("read", path, errno);
  return read_rest(file.get());
}

std::string read_log_end(const std::string& path, off_t since) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return {};
  const off_t size = lseek(file.get(), 0, SEEK_END);
  if (lseek(file.get(), std::max(since, size - kLogEndBytes), SEEK_SET) < 0) return {};
  return read_rest(file.get());
}

off_t file_size(const std::string& path) {
  struct stat info{};
  return lstat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

std::string unfinished(const std::string& path) { return path + ".new"; }

Result<void> write_file(const std::string& path, std::string_view text, mode_t mode,
                        const OsUser* owner, Durability durability) {
  const std::string fresh = unfinished(path);
  unlink(fresh.c_str());  // Left by a command that was killed.
  const Fd file(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) return fail_errno("create", fresh, errno);
  if (auto wrote = write_all(file.get(), text, fresh); !wrote) {
    unlink(fresh.c_str());
    return wrote;
  }
  if (fchmod(file.get(), mode) != 0) return fail_errno("set the mode of", fresh, errno);
  if (owner != nullptr && fchown(file.get(), owner->uid, owner->gid) != 0)
    return fail_errno("change the owner of", fresh, errno);
  if (durability == Durability::kSynced && fsync(file.get()) != 0)
    return fail_errno("write", fresh, errno);
  if (rename(fresh.c_str(), path.c_str()) != 0) return fail_errno("replace", path, errno);
  return durability == Durability::kSynced ? sync_folder_of(path) : Result<void>();
}

Result<void> make_folder(const std::string& path, mode_t mode, const OsUser* owner) {
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    return fail_errno("make the folder", path, errno);
  const Fd folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return fail_errno("use the folder", path, errno);
  if (fchmod(folder.get(), mode) != 0) return fail_errno("set the mode of", path, errno);
  if (owner != nullptr && fchown(folder.get(), owner->uid, owner->gid) != 0)
    return fail_errno("change the owner of", path, errno);
  return {};
}

Result<void> remove_tree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return fail_errno("remove", path, error.value());
  return {};
}

bool exists(const std::string& path) {
  struct stat info{};
  return lstat(path.c_str(), &info) == 0;
}

}  // namespace fairlead::cluster
