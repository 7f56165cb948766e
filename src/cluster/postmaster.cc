// Finding, stopping and ending a node's processes.
#include "cluster/postmaster.h"

#include <dirent.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/shm.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <thread>

#include "cluster/files.h"
#include "cluster/polling.h"
#include "cluster/subprocess.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

/// An immediate shutdown writes nothing; what is not gone by then is frozen or broken.
constexpr std::chrono::seconds kImmediatePatience{5};
/// Backends notice by themselves that their postmaster was killed.
constexpr std::chrono::seconds kOrphanPatience{5};

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

template <class Integer>
std::optional<Integer> number(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

std::string working_directory(pid_t pid) {
  std::array<char, 4096> target;
  const ssize_t got =
      readlink(fmt::format("/proc/{}/cwd", pid).c_str(), target.data(), target.size());
  return got > 0 ? std::string(target.data(), static_cast<size_t>(got)) : std::string();
}

void signal_all(const std::vector<pid_t>& pids, int signal) {
  for (const pid_t pid : pids) kill(pid, signal);
}

/// Waits until nobody works in the directory any more. `signal` is sent to who does, again and
/// again, because one that ends may have started another; 0 sends nothing.
bool wait_until_empty(const std::string& data_dir, int signal, std::chrono::seconds patience) {
  const auto deadline = Clock::now() + patience;
  for (;;) {
    const auto there = processes_in(data_dir);
    if (there.empty()) return true;
    if (Clock::now() >= deadline) return false;
    if (signal != 0) signal_all(there, signal);
    std::this_thread::sleep_for(kPollInterval);
  }
}

/// A postmaster that was killed leaves its small System V segment; its number is the second word of
/// line 7 of postmaster.pid (miscadmin.h, LOCK_FILE_LINE_SHMEM_KEY). A segment that anybody uses is
/// left alone.
void free_shared_memory(const std::string& data_dir) {
  const auto text = read_file(data_dir + "/postmaster.pid");
  if (!text) return;
  const auto lines = lines_of(*text);
  if (lines.size() < 7) return;
  const std::string_view line = lines[6];
  const size_t first_digit = line.find_first_not_of(' ');
  if (first_digit == std::string_view::npos) return;
  const size_t blank = line.find(' ', first_digit);
  if (blank == std::string_view::npos) return;
  const auto key = number<long>(line.substr(first_digit));
  const auto id = number<int>(line.substr(line.find_first_not_of(' ', blank)));
  shmid_ds info{};
  if (!key || !id || shmctl(*id, IPC_STAT, &info) != 0) return;
  if (info.shm_nattch == 0 && static_cast<long>(static_cast<unsigned>(info.shm_perm.__key)) == *key)
    shmctl(*id, IPC_RMID, nullptr);
}

}  // namespace

std::vector<pid_t> processes_in(const std::string& data_dir) {
  std::vector<pid_t> found;
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return found;
  while (const dirent* entry = readdir(proc)) {
    const auto pid = number<pid_t>(entry->d_name);
    if (pid && *pid != getpid() && working_directory(*pid) == data_dir) found.push_back(*pid);
  }
  closedir(proc);
  return found;
}

std::optional<Postmaster> find_postmaster(const std::string& data_dir) {
  const auto text = read_file(data_dir + "/postmaster.pid");
  if (!text) return std::nullopt;
  const auto lines = lines_of(*text);
  if (lines.size() < 2) return std::nullopt;
  const auto pid = number<pid_t>(lines[0]);
  if (!pid || *pid <= 1 || lines[1] != data_dir || working_directory(*pid) != data_dir)
    return std::nullopt;
  // Line 8 is the status (pidfile.h); "standby" would be a standby that answers nobody.
  const bool ready = lines.size() >= 8 && lines[7].starts_with("ready");
  return Postmaster{*pid, ready};
}

void forget_dead_postmaster(const std::string& data_dir, const std::string& socket) {
  if (find_postmaster(data_dir) || !wait_until_empty(data_dir, 0, kOrphanPatience)) return;
  free_shared_memory(data_dir);
  for (const std::string& path : {data_dir + "/postmaster.pid", socket, socket + ".lock"})
    unlink(path.c_str());
}

bool has_data(const std::string& data_dir) { return exists(data_dir + "/PG_VERSION"); }

bool is_standby(const std::string& data_dir) { return exists(data_dir + "/standby.signal"); }

Result<void> stop_postmaster(const std::string& data_dir, std::chrono::seconds patience,
                             const StopFlag& stop) {
  const auto server = find_postmaster(data_dir);
  if (!server) return {};
  if (kill(server->pid, SIGINT) != 0 && errno != ESRCH)
    return fail_errno("stop the server in", data_dir, errno);
  const auto deadline = Clock::now() + patience;
  while (working_directory(server->pid) == data_dir) {
    if (stop.load())
      return fail(ErrorCode::kQueryCanceled, "stopped on request",
                  "the server was told to end and may still do so");
    if (Clock::now() >= deadline)
      return fail(
          ErrorCode::kIo,
          fmt::format("the server in {} did not end within {} s", data_dir, patience.count()),
          fmt::format("its process is {}", server->pid),
          "look into its log; destroy ends it by force and removes the data");
    std::this_thread::sleep_for(kPollInterval);
  }
  return {};
}

Result<void> end_processes_in(const std::string& data_dir) {
  if (const auto server = find_postmaster(data_dir)) {
    kill(server->pid, SIGQUIT);
    signal_all(processes_in(data_dir),
               SIGCONT);  // A frozen process sees no SIGQUIT until it goes on.
    wait_until_empty(data_dir, 0, kImmediatePatience);
  }
  if (!wait_until_empty(data_dir, SIGKILL, kImmediatePatience)) {
    const auto left = processes_in(data_dir);
    return fail(
        ErrorCode::kIo,
        fmt::format("process {} in {} does not end", left.empty() ? 0 : left.front(), data_dir),
        "SIGKILL had no effect: it waits for a disk, or belongs to another user",
        "run the command as root, or end the process by hand");
  }
  free_shared_memory(data_dir);
  return {};
}

}  // namespace fairlead::cluster
