"""Children that die with the test, what the kernel says about processes, and the tools of PostgreSQL."""
import ctypes
import glob
import os
import re
import resource
import shutil
import signal
import socket
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(number=signal.SIGKILL):
    """A preexec_fn: the kernel ends the child when the test ends, however that happens."""

    def prepare():
        _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)

    return prepare


def free_ports(count):
    """Ports that were free a moment ago, all different."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def allow_many_files():
    """Raises this process's limit of open files as far as it may go; children inherit it. Returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def memory_kib(pid, what):
    """`what` is a line of /proc/PID/status: VmRSS is what is resident now, VmHWM its highest so far."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(rf"^{what}:\s+(\d+) kB", status.read(), re.M).group(1))


def reset_peak_memory(pid):
    """VmHWM starts again from what is resident now (proc(5), clear_refs)."""
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def with_children(pid):
    """The process and its direct children: a postmaster with its backends."""
    found = [pid]
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat, encoding="utf-8", errors="replace") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:  # It has ended since.
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.split("/")[2]))
    return found


def signal_with_children(pid, number):
    """To all of them, though some end meanwhile."""
    for one in with_children(pid):
        try:
            os.kill(one, number)
        except ProcessLookupError:
            pass


def cpu_ticks(stat):
    """utime + stime of the text of /proc/PID/stat: of all threads (proc(5)). The name may hold spaces and brackets."""
    fields = stat.rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def cpu_seconds(pid):
    """What it has used so far."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return cpu_ticks(file.read()) / os.sysconf("SC_CLK_TCK")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def postgres_tool(name):
    """initdb and others are not in the PATH on Debian; the newest version is taken."""
    versions = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[4]))
    for folder in reversed(versions):
        if os.access(os.path.join(folder, name), os.X_OK):
            return os.path.join(folder, name)
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found


def eventually(condition, timeout, what):
    """Waits until `condition()` is true and returns its value; raises AssertionError with `what` after the timeout. It is asked
    for a quarter of the time at most: what is waited for needs the processor, too."""
    deadline = time.monotonic() + timeout
    while True:
        began = time.monotonic()
        value = condition()
        ended = time.monotonic()
        if value:
            return value
        if ended > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(min(max(0.02, 3 * (ended - began)), 0.5))
