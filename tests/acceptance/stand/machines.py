"""Machines of their own on this one: network namespaces on one switch, each with a folder that stands for its disk. Needs root."""
import ctypes
import os
import secrets
import shutil
import subprocess
import sys
import tempfile

from stand.network import run_ip

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

_WATCHER = """
import os, shutil, signal, subprocess, sys
sys.stdin.read()
folder, names = sys.argv[1], sys.argv[2:]
for name in names[1:]:  # On the first one is the test itself.
    pids = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout.split()
    for pid in pids:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass
for name in names:
    subprocess.run(["ip", "netns", "del", name], capture_output=True)
shutil.rmtree(folder, ignore_errors=True)
"""


class Machine:
    """name and address are what the others know; `folder` is where its files lie, as the servers' user may write them."""

    def __init__(self, network, name, address, folder):
        self.name, self.address, self.folder = name, address, folder
        self._space = network.space(name)
        os.makedirs(folder, mode=0o700)
        shutil.chown(folder, "postgres", "postgres")

    def run(self, command, environment=None, log=None):
        """Starts a program there, as the servers' user; it dies with the test."""
        prefix = ["ip", "netns", "exec", self._space, "setpriv", "--reuid", "postgres", "--regid", "postgres",
                  "--init-groups", "--pdeathsig", "KILL"]
        with open(os.path.join(self.folder, log or "log"), "ab") as out:
            return subprocess.Popen(prefix + command, stdout=out, stderr=out, cwd="/",
                                    env={"PATH": "/usr/bin:/bin", "HOME": self.folder, "LC_ALL": "C.UTF-8", **(environment or {})})

    def output(self, command, environment=None, timeout=60):
        """What a program says there, with its exit code; None for one that had to be ended."""
        try:
            done = subprocess.run(["ip", "netns", "exec", self._space] + command, capture_output=True, text=True, check=False,
                                  timeout=timeout, env={**os.environ, **(environment or {})})
        except subprocess.TimeoutExpired:
            return None, ""
        return done.returncode, done.stdout + done.stderr

    def set_link(self, up):
        """Its network cable."""
        run_ip("-n", self._space, "link", "set", "eth0", "up" if up else "down")

    def log(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as file:
            return file.read()[-3000:]


class Network:
    """`machines` by name; the test itself is on one, too, with its own address. stop() ends everything that runs on them."""

    def __init__(self, addresses, own_address):
        self.folder = tempfile.mkdtemp(prefix="fairlead-net-")
        os.chmod(self.folder, 0o755)
        self._prefix = f"fl{secrets.token_hex(3)}-"
        names = ["test", "switch", *addresses]
        self._watcher = subprocess.Popen(
            [sys.executable, "-c", _WATCHER, self.folder, *map(self.space, names)], stdin=subprocess.PIPE, start_new_session=True
        )
        self.machines = {}
        try:
            for name in names:
                run_ip("netns", "add", self.space(name))
                run_ip("-n", self.space(name), "link", "set", "lo", "up")
            run_ip("-n", self.space("switch"), "link", "add", "br0", "type", "bridge")
            run_ip("-n", self.space("switch"), "link", "set", "br0", "up")
            for number, (name, address) in enumerate({"test": own_address, **addresses}.items()):
                self._connect(name, address, f"port{number}")
            for name, address in addresses.items():
                self.machines[name] = Machine(self, name, address, os.path.join(self.folder, name))
        except BaseException:
            self.stop()
            raise

    def space(self, name):
        return self._prefix + name

    def _connect(self, name, address, port):
        switch = self.space("switch")
        run_ip("link", "add", port, "netns", switch, "type", "veth", "peer", "name", "eth0", "netns", self.space(name))
        run_ip("-n", switch, "link", "set", port, "master", "br0", "up")
        run_ip("-n", self.space(name), "addr", "add", f"{address}/24", "dev", "eth0")
        run_ip("-n", self.space(name), "link", "set", "eth0", "up")

    def enter(self):
        """This thread, and all that it starts from now on, is on the test's own machine."""
        with open(f"/run/netns/{self.space('test')}", "rb") as space:
            if _libc.setns(space.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def stop(self):
        self._watcher.stdin.close()
        self._watcher.wait(60)
