// Taking the lock, from the dead too.
#include "cluster/dir_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

#include "cluster/files.h"

namespace fairlead::cluster {

namespace {

namespace fs = std::filesystem;

/// Who took a lock that an open descriptor holds, by its fdinfo: "lock:  1: FLOCK  ADVISORY  WRITE
/// 8539 fe:00:11 0 EOF" (proc(5)). Nothing when it holds none, as that of a command that waits for
/// it.
std::optional<pid_t> taker_of_lock(const std::string& fdinfo) {
  constexpr std::string_view kKind = "FLOCK  ADVISORY  WRITE ";
  const size_t at = fdinfo.find(kKind);
  if (at == std::string::npos) return std::nullopt;
  pid_t taker = 0;
  const char* begin = fdinfo.data() + at + kKind.size();
  std::from_chars(begin, fdinfo.data() + fdinfo.size(), taker);
  return taker;
}

struct Holder {
  pid_t pid = 0;
  pid_t taker = 0;  // The command that took the lock, dead or alive.
};

std::optional<Holder> as_holder(pid_t pid, const std::string& lock_file) {
  std::error_code ignored;
  for (const auto& fd : fs::directory_iterator(fmt::format("/proc/{}/fd", pid), ignored)) {
    if (fs::read_symlink(fd.path(), ignored) != lock_file) continue;
    const auto info =
        read_file(fmt::format("/proc/{}/fdinfo/{}", pid, fd.path().filename().string()));
    const auto taker = info ? taker_of_lock(*info) : std::nullopt;
    if (taker) return Holder{pid, *taker};
  }
  return std::nullopt;
}

std::vector<Holder> holders_of(const std::string& lock_file) {
  std::vector<Holder> holders;
  std::error_code ignored;
  for (const auto& process : fs::directory_iterator("/proc", ignored)) {
    const std::string name = process.path().filename().string();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    if (const auto holder = as_holder(pid, lock_file)) holders.push_back(*holder);
  }
  return holders;
}

/// Ends tools whose command is gone. What they were doing is going to be undone, so nothing is lost
/// by SIGKILL.
void end_orphans(const std::string& lock_file) {
  const auto holders = holders_of(lock_file);
  for (const Holder& holder : holders)
    if (std::ranges::find(holders, holder.taker, &Holder::pid) == holders.end())
      kill(holder.pid, SIGKILL);
}

}  // namespace

Result<DirLock> DirLock::take(const std::string& lock_file, std::chrono::milliseconds patience) {
  Fd file(open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return fail_errno("open", lock_file, errno);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return fail_errno("lock", lock_file, errno);
    if (std::chrono::steady_clock::now() >= deadline)
      return fail(ErrorCode::kIo, "another command is at work on this cluster",
                  fmt::format("{} is locked", lock_file), "wait for it to end, or end it");
    end_orphans(lock_file);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return DirLock(std::move(file));
}

}  // namespace fairlead::cluster
