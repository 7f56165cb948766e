"""A cluster made by `fairlead cluster create`, with a role and a database of its own for the tests.

A watcher process destroys it even when the test is killed: it waits for the end of a pipe that only the test holds open.
"""
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile

import wire
from stand.address import Address
from stand.processes import eventually, signal_with_children

_WATCHER = """
import shutil, subprocess, sys
sys.stdin.read()
binary, folder = sys.argv[1:]
done = subprocess.run([binary, "cluster", "destroy", "--dir", folder + "/cluster"], capture_output=True, text=True)
if done.returncode != 0:
    sys.stderr.write(done.stderr)
shutil.rmtree(folder, ignore_errors=True)
"""


class Cluster:
    """nodes[0] is made as the primary; state is what cluster.json says; `programs` is the folder of PostgreSQL's, where they
    are not Debian's. stop() removes everything."""

    def __init__(self, binary, replicas=2, programs=None):
        self.binary = binary
        self.folder = tempfile.mkdtemp(prefix="fairlead-test-")
        os.chmod(self.folder, 0o755)  # The servers' user passes through it.
        self.dir = os.path.join(self.folder, "cluster")
        self._watcher = subprocess.Popen(
            [sys.executable, "-c", _WATCHER, binary, self.folder], stdin=subprocess.PIPE, start_new_session=True
        )
        self.nodes = []
        try:
            # Servers are killed here, never machines: what is written survives in the kernel's cache, and what they share has
            # to be gone with their folder. To compile what drivers ask the catalogue (jit) takes longer than to answer it.
            made = self._run("cluster", "create", "--dir", self.dir, "--replicas", str(replicas), "--json", "--set", "fsync=off",
                             "--set", "dynamic_shared_memory_type=mmap", "--set", "jit_above_cost=-1",
                             *(["--pg-bin", programs] if programs else []))
            self.nodes = json.loads(made)["nodes"]
            with open(os.path.join(self.dir, "cluster.json"), encoding="utf-8") as file:
                self.state = json.load(file)
            self._make_user()
        except BaseException:
            self.stop()
            raise

    def _run(self, *arguments):
        done = subprocess.run([self.binary, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"fairlead {' '.join(arguments)}: exit code {done.returncode}\n{done.stderr}")
        return done.stdout

    def _make_user(self):
        self.password = secrets.token_hex(8)
        with self.superuser() as server:
            server.run(f"create role tester login password '{self.password}'")
            server.run("create database tests owner tester")
            [(self.verifier,)] = server.run("select rolpassword from pg_authid where rolname = 'tester'")
        for index in range(len(self.nodes)):
            with self.superuser(index) as server:  # The files live for minutes.
                server.run("alter system set fsync = off")
                server.run("select pg_reload_conf()")

    def node_pid(self, index):
        with open(os.path.join(self.nodes[index]["data_dir"], "postmaster.pid"), encoding="ascii") as file:
            return int(file.readline())

    def signal_node(self, index, number):
        """To the server and all its backends, as a machine that loses power or hangs."""
        signal_with_children(self.node_pid(index), number)

    def start_nodes(self):
        self._run("cluster", "start", "--dir", self.dir)

    def superuser(self, index=0, database="postgres", timeout=30.0):
        """A connection to a node itself."""
        spec, node = self.state["spec"], self.nodes[index]
        password = self.state["secrets"]["superuser"]
        address = Address(node["host"], node["port"], spec["superuser"], password, database)
        return wire.Connection.login(address, timeout=timeout)

    @contextlib.contextmanager
    def paused_replay(self, index=1):
        """The replica answers, and what it answers is old: it receives everything, and replays nothing."""
        with self.superuser(index) as replica:
            replica.run("select pg_wal_replay_pause()")
            eventually(lambda: replica.value("select pg_get_wal_replay_pause_state()") == "paused", 10, "it has paused")
            try:
                yield replica
            finally:
                replica.run("select pg_wal_replay_resume()")

    def wait_for_replay(self, index=1):
        """Until the replica has all that the primary has now."""
        with self.superuser() as primary, self.superuser(index) as replica:
            position = primary.value("select pg_current_wal_insert_lsn()")
            replayed = f"select pg_last_wal_replay_lsn() >= '{position}'::pg_lsn"
            eventually(lambda: replica.value(replayed) == "t", 20, "the replica has replayed it")

    def monitor(self):
        """The keys of the configuration that name the role of the proxy's probes."""
        return {
            "monitor_user": self.state["spec"]["monitor_user"],
            "monitor_password": self.state["secrets"]["monitor"],
        }

    def node_address(self, index):
        """Where the tests' own role connects to without any proxy."""
        node = self.nodes[index]
        return Address(node["host"], node["port"], "tester", self.password, "tests")

    def stop(self):
        for index in range(len(self.nodes)):
            self._thaw(index)
        self._watcher.stdin.close()
        self._watcher.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _thaw(self, index):
        """What a failing test left stopped could not be shut down."""
        try:
            self.signal_node(index, signal.SIGCONT)
        except OSError:
            pass  # It is not running.
