"""Counts the system calls of a running process, by name, between start() and stop().

perf counts in the kernel and leaves the process its speed. Where it may not (no tracefs, no right), strace does; it stops
the process at every call, so that more comes in meanwhile and one wait finds more to do: its waits flatter.
"""
import os
import re
import shutil
import signal
import subprocess

from harness.stage import CannotMeasure

WAITS = ("epoll_wait", "epoll_pwait", "poll")
_NAMED = (
    "sendto", "recvfrom", "sendmsg", "recvmsg", "read", "write", "readv", "writev", "epoll_ctl", *WAITS, "futex",
    "timerfd_settime",
)
_EVENTS = ("/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events")  # The second one on older systems.
_PATIENCE = 30  # Seconds that a tool may take to attach or to end.


def parse_perf(text):
    """{name: calls} of `perf stat -x,`; what was not named is "others"."""
    counts = {}
    for line in text.splitlines():
        fields = line.split(",")
        if len(fields) > 2 and fields[2].startswith(("syscalls:sys_enter_", "raw_syscalls:")):
            counts[fields[2].removeprefix("syscalls:sys_enter_")] = int(fields[0])
    every = counts.pop("raw_syscalls:sys_enter")
    return {**counts, "others": every - sum(counts.values())}


def parse_strace(text):
    """The same of `strace -c`: the fourth column is the calls, the last one the name, and errors may stand between."""
    row = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.M)
    return {name: int(calls) for calls, name in row.findall(text) if name != "total"}


def counter(pid):
    """The best tool that works here, for one process. Use it in a `with`."""
    if Perf.works():
        return Perf(pid)
    if shutil.which("strace"):
        return Strace(pid)
    raise CannotMeasure("neither perf nor strace works here: tools/install-packages bench, or run as root")


class _Tool:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


class Perf(_Tool):
    name = "perf"

    @staticmethod
    def works():
        if shutil.which("perf") is None or not Perf._events():
            return False
        tried = subprocess.run(
            ["perf", "stat", "-e", "raw_syscalls:sys_enter", "-p", str(os.getpid()), "--timeout", "10"],
            capture_output=True, check=False,
        )
        return tried.returncode == 0

    @staticmethod
    def _events():
        """Those of _NAMED that this kernel has: an architecture may lack the older ones."""
        return [
            f"syscalls:sys_enter_{name}" for name in _NAMED
            if any(os.path.isdir(f"{root}/syscalls/sys_enter_{name}") for root in _EVENTS)
        ]

    def __init__(self, pid):
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        events = ",".join(["raw_syscalls:sys_enter", *self._events()])
        # Attached now, counting later: attaching takes a while.
        self._process = subprocess.Popen(
            ["perf", "stat", "-x,", "-e", events, "-D", "-1", "--control", f"fd:{commands},{answers}", "-p", str(pid)],
            stderr=subprocess.PIPE, text=True, pass_fds=(commands, answers),
        )
        os.close(commands)
        os.close(answers)

    def start(self):
        self._tell("enable")

    def stop(self):
        """{name: calls} since start()."""
        self._tell("disable")
        self._process.send_signal(signal.SIGINT)
        return parse_perf(self._process.communicate(timeout=_PATIENCE)[1])

    def _tell(self, command):
        os.write(self._commands, f"{command}\n".encode("ascii"))
        if not os.read(self._answers, 16):  # It answers "ack", or its end closes the pipe.
            raise RuntimeError(f"perf has ended: {self._process.communicate()[1]}")

    def __exit__(self, *exception):
        super().__exit__(*exception)
        os.close(self._commands)
        os.close(self._answers)


class Strace(_Tool):
    name = "strace"

    def __init__(self, pid):
        self._pid, self._process = pid, None

    def start(self):
        self._process = subprocess.Popen(
            ["strace", "-c", "-f", "-p", str(self._pid)], stderr=subprocess.PIPE, text=True
        )
        attached = self._process.stderr.readline()
        if "attached" not in attached:
            raise RuntimeError(f"strace: {attached}{self._process.communicate()[1]}")

    def stop(self):
        """{name: calls} since start()."""
        self._process.send_signal(signal.SIGINT)
        return parse_strace(self._process.communicate(timeout=_PATIENCE)[1])
