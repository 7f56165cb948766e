// Waiting for a child: its output, its deadline, its end.
#include "cluster/subprocess.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "cluster/fd.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

/// How often the stop flag is looked at.
constexpr std::chrono::milliseconds kStopFlagInterval{20};

/// Standard input as a file in memory: no pipe that could block, and /dev/stdin can be opened by
/// another user, which a pipe of root's refuses.
Result<Fd> input_file(const std::string& input) {
  Fd file(memfd_create("input", MFD_CLOEXEC));
  if (!file ||
      write(file.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size()) ||
      lseek(file.get(), 0, SEEK_SET) != 0)
    return fail(ErrorCode::kIo, "cannot make the input of a program", std::strerror(errno));
  return file;
}

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return fail(ErrorCode::kIo, "cannot make a pipe", std::strerror(errno));
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

using Listener = std::function<void(std::string_view)>;

/// Takes what is there. Closes `from` at its end.
void drain(Fd& from, std::string& into, const Listener& listener = {}) {
  std::array<char, 16384> buffer;
  const ssize_t got = read(from.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) return from.close();
  into.append(buffer.data(), static_cast<size_t>(got));
  if (listener) listener({buffer.data(), static_cast<size_t>(got)});
  if (into.size() > kCapturedMax) into.erase(0, into.size() - kCapturedMax);
}

/// One running child and its two streams.
class Running {
 public:
  Running(pid_t pid, Fd out, Fd err, const Listener& on_err)
      : pid_(pid),
        out_(std::move(out)),
        err_(std::move(err)),
        on_err_(on_err),
        exit_fd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {
    fcntl(out_.get(), F_SETFL, O_NONBLOCK);
    fcntl(err_.get(), F_SETFL, O_NONBLOCK);
  }

  /// Reads for at most one slice. True once the child has ended.
  bool turn() {
    std::array<pollfd, 3> waits = {
        {{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}, {exit_fd_.get(), POLLIN, 0}}};
    poll(waits.data(), waits.size(), static_cast<int>(kStopFlagInterval.count()));
    if (waits[0].revents != 0) drain(out_, ending_.out);
    if (waits[1].revents != 0) drain(err_, ending_.err, on_err_);
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
    // What it wrote last. A daemon that it left may hold the pipes open: so no waiting for their
    // end.
    for (int i = 0; i < 16 && (out_ || err_); ++i) {
      if (out_) drain(out_, ending_.out);
      if (err_) drain(err_, ending_.err, on_err_);
    }
    if (WIFEXITED(status))
      ending_.exit_code = WEXITSTATUS(status);
    else
      ending_.signal = WTERMSIG(status);
    return true;
  }

  void end(int stop_signal, std::chrono::milliseconds grace) {
    kill(-pid_, stop_signal);
    const auto patience = Clock::now() + grace;
    while (!turn())
      if (Clock::now() >= patience) kill(-pid_, SIGKILL);
    kill(-pid_, SIGKILL);  // Children of a tool that died first.
  }

  Ending take() { return std::move(ending_); }

 private:
  pid_t pid_;
  Fd out_, err_;
  const Listener& on_err_;
  Fd exit_fd_;  // Makes poll() return at the end at once; without it (old kernels) a slice later.
  Ending ending_;
};

std::string said(const Ending& ending) {
  const std::string err = tail(ending.err, 12);
  return err.empty() ? tail(ending.out, 12) : err;
}

}  // namespace

std::string tail(std::string_view text, size_t lines_max) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  size_t begin = text.size();
  for (size_t lines = 0; lines < lines_max && begin != std::string_view::npos && begin > 0; ++lines)
    begin = text.rfind('\n', begin - 1);
  if (begin != std::string_view::npos && begin < text.size() && text[begin] == '\n')
    text.remove_prefix(begin + 1);
  return std::string(text);
}

Result<Ending> run(const Command& command, const StopFlag& stop) {
  auto input = input_file(command.input);
  auto out = make_pipe();
  auto err = make_pipe();
  if (!input) return std::unexpected(input.error());
  if (!out) return std::unexpected(out.error());
  if (!err) return std::unexpected(err.error());
  const auto pid = spawn(command, {input->get(), out->write_end.get(), err->write_end.get()});
  if (!pid) return std::unexpected(pid.error());
  out->write_end.close();
  err->write_end.close();

  Running child(*pid, std::move(out->read_end), std::move(err->read_end), command.on_err);
  const auto deadline = Clock::now() + command.deadline;
  while (!child.turn()) {
    const bool late = Clock::now() >= deadline;
    if (!stop.load() && !late) continue;
    child.end(command.stop_signal, command.grace);
    const Ending ending = child.take();
    if (stop.load())
      return fail(ErrorCode::kQueryCanceled, "stopped on request", {},
                  "run the command again to go on");
    return fail(ErrorCode::kIo,
                fmt::format("{} did not end within {} s", command.arguments.front(),
                            command.deadline.count() / 1000),
                said(ending));
  }
  return child.take();
}

Result<Ending> run_good(const Command& command, const StopFlag& stop) {
  auto ending = run(command, stop);
  if (!ending || ending->good()) return ending;
  const std::string how = ending->signal != 0
                              ? fmt::format("was ended by signal {}", ending->signal)
                              : fmt::format("ended with code {}", ending->exit_code);
  return fail(ErrorCode::kIo, fmt::format("{} {}", command.arguments.front(), how), said(*ending));
}

}  // namespace fairlead::cluster
