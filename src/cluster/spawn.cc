// Fork and exec as another user.
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "cluster/fd.h"
#include "cluster/subprocess.h"

namespace fairlead::cluster {

namespace {

/// Variables that would change what PostgreSQL's tools do or say: connection defaults, data
/// directories and languages (messages are read by us).
bool is_dropped(std::string_view variable) {
  for (const std::string_view prefix :
       {"PG", "LC_", "LANG", "LANGUAGE", "HOME=", "USER=", "LOGNAME="})
    if (variable.starts_with(prefix)) return true;
  return false;
}

std::vector<std::string> child_environment(const Command& command) {
  std::vector<std::string> out;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (!is_dropped(*variable)) out.emplace_back(*variable);
  out.emplace_back("LC_ALL=C");
  const char* home = getenv("HOME");
  out.push_back(
      fmt::format("HOME={}", command.run_as ? command.run_as->home : (home ? home : "/")));
  out.insert(out.end(), command.environment.begin(), command.environment.end());
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

/// Everything that the child needs, made before the fork: after it only async-signal-safe calls are
/// allowed, because the parent may have other threads.
struct ChildPlan {
  char* const* argv;
  char* const* envp;
  std::array<int, 3> streams;
  const OsUser* user;
  int stop_signal;
  int inherited_fd;
  pid_t parent;
};

bool become(const OsUser& user) {
  return setgroups(user.groups.size(), user.groups.data()) == 0 && setgid(user.gid) == 0 &&
         setuid(user.uid) == 0;
}

/// Never returns; tells the parent errno through `report` when it gets no further.
[[noreturn]] void run_child(const ChildPlan& plan, int report) {
  const auto give_up = [report] {
    const int error = errno;
    if (write(report, &error, sizeof error) < 0) _exit(126);
    _exit(127);
  };
  setpgid(0, 0);
  for (int i = 0; i < 3; ++i)
    if (dup2(plan.streams[static_cast<size_t>(i)], i) < 0) give_up();
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (plan.inherited_fd >= 0) fcntl(plan.inherited_fd, F_SETFD, 0);
  for (const int number : {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGPIPE, SIGCHLD})
    signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (plan.user != nullptr && !become(*plan.user)) give_up();
  // After setuid, which clears it. The parent may have died before: then its number has changed.
  prctl(PR_SET_PDEATHSIG, plan.stop_signal);
  if (getppid() != plan.parent) _exit(127);
  umask(077);
  if (chdir("/") != 0) give_up();
  execve(plan.argv[0], plan.argv, plan.envp);
  give_up();
  _exit(127);
}

}  // namespace

Result<pid_t> spawn(const Command& command, const ChildStreams& streams) {
  const std::string& program = command.arguments.front();
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  int report[2] = {-1, -1};
  if (!null || pipe2(report, O_CLOEXEC) != 0)
    return fail(ErrorCode::kIo, fmt::format("cannot run {}", program), std::strerror(errno));
  const Fd report_in(report[0]);
  Fd report_out(report[1]);

  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = child_environment(command);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  const auto or_null = [&null](int fd) { return fd >= 0 ? fd : null.get(); };
  const OsUser* user =
      command.run_as != nullptr && command.run_as->uid != geteuid() ? command.run_as : nullptr;
  const ChildPlan plan{argv.data(),
                       envp.data(),
                       {or_null(streams.in), or_null(streams.out), or_null(streams.err)},
                       user,
                       command.stop_signal,
                       command.inherited_fd,
                       getpid()};
  const pid_t pid = fork();
  if (pid < 0)
    return fail(ErrorCode::kIo, fmt::format("cannot run {}", program), std::strerror(errno));
  if (pid == 0) run_child(plan, report_out.get());
  setpgid(pid, pid);  // In both: whoever comes first, the group exists before anybody signals it.
  report_out.close();

  int error = 0;
  ssize_t got = 0;
  do got = read(report_in.get(), &error, sizeof error);
  while (got < 0 && errno == EINTR);
  if (got == 0) return pid;  // Closed by exec: it runs.
  waitpid(pid, nullptr, 0);
  return fail(ErrorCode::kIo, fmt::format("cannot run {}", program), std::strerror(error),
              error == ENOENT ? "check --pg-bin" : "");
}

}  // namespace fairlead::cluster
