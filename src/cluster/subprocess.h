// Runs one program to its end, without a shell: captured output, a deadline, and an end when the
// stop flag is set. Linux only.
//
// Blocks the calling thread. Any thread may run one; the child dies with that thread
// (PR_SET_PDEATHSIG), so that a killed command leaves no tool at work behind it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cluster/os_user.h"
#include "cluster/progress.h"

namespace fairlead::cluster {

struct Command {
  std::vector<std::string> arguments;         // arguments[0] is the program's path.
  std::vector<std::string> environment = {};  // "NAME=value", added to a cleaned copy of our own.
  std::string input = {};                     // What the program finds on standard input.
  const OsUser* run_as = nullptr;             // Null: as we are. Another user needs root.
  std::chrono::milliseconds deadline = std::chrono::seconds(60);
  /// The first word to a child that must end, SIGTERM; after `grace` comes SIGKILL.
  int stop_signal = 15;
  std::chrono::milliseconds grace = std::chrono::seconds(5);
  /// Stays open in the child, for a lock that must live as long as the child.
  int inherited_fd = -1;
  /// Hears each piece of standard error as it comes, in the thread that runs the command.
  std::function<void(std::string_view)> on_err = {};
};

/// How a program ended, and what it said.
struct Ending {
  int exit_code = -1;  // When it ended by itself.
  int signal = 0;      // When a signal ended it.
  std::string out;     // The last kCapturedMax bytes of each stream.
  std::string err;

  bool good() const { return exit_code == 0 && signal == 0; }
};

/// More than a tool's complaint ever needs; a bound because a broken tool can talk forever.
inline constexpr size_t kCapturedMax = 256 * 1024;

/// An Ending of any kind, or an Error when the program could not be run, passed its deadline (kIo)
/// or was stopped by the flag (kQueryCanceled). In the end no process of its group is left but
/// those that made a session of their own.
Result<Ending> run(const Command& command, const StopFlag& stop);

/// As run(), but an ending that is not good is an Error too, with the tail of what the program
/// said.
Result<Ending> run_good(const Command& command, const StopFlag& stop);

/// Forgets a value that nobody needs: the answer is whether it went well.
template <class T>
Result<void> done_or_error(const Result<T>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

/// Where a child's streams go; -1 is /dev/null.
struct ChildStreams {
  int in = -1;
  int out = -1;
  int err = -1;
};

/// Forks and executes in a process group of its own. The caller waits for the child and closes its
/// own copies of the streams. Fails when the program cannot be executed.
Result<pid_t> spawn(const Command& command, const ChildStreams& streams);

/// The last `lines_max` lines of `text`, without blank ones at its end.
std::string tail(std::string_view text, size_t lines_max);

}  // namespace fairlead::cluster
