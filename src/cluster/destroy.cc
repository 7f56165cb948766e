// Removing a cluster. Trusts the marker, the folder's contents and the system's processes, and
// needs no state file: a cluster whose state is unreadable must be removable too.
#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>

#include "cluster/commands.h"
#include "cluster/dir_lock.h"
#include "cluster/files.h"
#include "cluster/postmaster.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

/// Names in the folder, the marker, the state and the lock left out: those go last.
std::vector<std::string> contents(const Layout& layout) {
  std::vector<std::string> paths;
  DIR* folder = opendir(layout.dir().c_str());
  if (folder == nullptr) return paths;
  while (const dirent* entry = readdir(folder)) {
    const std::string_view name = entry->d_name;
    const std::string path = fmt::format("{}/{}", layout.dir(), name);
    if (name == "." || name == ".." || path == layout.marker() || path == layout.lock_file() ||
        path == layout.state_file())
      continue;
    paths.push_back(path);
  }
  closedir(folder);
  std::ranges::sort(paths);
  return paths;
}

struct Task {
  std::string text;
  std::function<Result<void>()> work;
};

Result<void> run_tasks(const std::vector<Task>& tasks, ProgressSink& progress,
                       const StopFlag& stop) {
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (stop.load())
      return fail(ErrorCode::kQueryCanceled, "stopped on request", {},
                  "run destroy again to remove the rest");
    const StepView view{i + 1, tasks.size(), tasks[i].text};
    progress.started(view);
    const auto began = Clock::now();
    if (auto done = tasks[i].work(); !done) {
      progress.failed(view, done.error());
      return done;
    }
    progress.finished(view, std::chrono::duration_cast<Duration>(Clock::now() - began));
  }
  return {};
}

/// From now on only destroy works here. An unreadable state is no hindrance: load() refuses it as
/// well.
Result<void> mark_destroying(const Layout& layout) {
  auto state = read_state(layout);
  if (!state) return {};
  state->phase = Phase::kDestroying;
  return write_state(layout, *state);
}

Result<void> remove_last_files(const Layout& layout) {
  for (const std::string& path : {layout.state_file(), layout.lock_file(), layout.marker()})
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("remove", path, errno);
  if (rmdir(layout.dir().c_str()) != 0) return fail_errno("remove", layout.dir(), errno);
  return {};
}

Result<void> check_is_ours(const Layout& layout) {
  if (!exists(layout.dir()))
    return fail(ErrorCode::kIo, fmt::format("there is no {}", layout.dir()), {}, "check the path");
  struct stat marker{};
  if (lstat(layout.marker().c_str(), &marker) != 0 || !S_ISREG(marker.st_mode))
    return fail(
        ErrorCode::kIo,
        fmt::format("{} is not a cluster made by fairlead, so nothing was removed", layout.dir()),
        fmt::format("there is no {}", layout.marker()),
        "check the path; remove other folders by hand");
  return {};
}

}  // namespace

Result<void> destroy(const std::string& dir, ProgressSink& progress, const StopFlag& stop) {
  const auto path = canonical_dir(dir);
  if (!path) return std::unexpected(path.error());
  const Layout layout(*path);
  if (auto ours = check_is_ours(layout); !ours) return ours;
  auto lock = DirLock::take(layout.lock_file());
  if (!lock) return std::unexpected(lock.error());
  if (auto marked = mark_destroying(layout); !marked) return marked;

  std::vector<Task> tasks;
  for (const std::string& part : contents(layout)) {
    struct stat info{};
    if (lstat(part.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
      tasks.push_back(
          {fmt::format("end what runs in {}", part), [part] { return end_processes_in(part); }});
  }
  for (const std::string& part : contents(layout))
    tasks.push_back({fmt::format("remove {}", part), [part] { return remove_tree(part); }});
  tasks.push_back(
      {fmt::format("remove {}", layout.dir()), [&layout] { return remove_last_files(layout); }});
  return run_tasks(tasks, progress, stop);
}

}  // namespace fairlead::cluster
