"""A cluster made by `fairlead cluster create` with `fairlead up` in front of it, as a user of the program has it.

Everything is started by the program under test and ended by pid. A watcher process destroys the cluster even when the
test is killed: it waits for the end of a pipe that only the test holds open.
"""
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import wire
from stand.address import Address
from stand.processes import allow_many_files, die_with_parent, eventually, free_ports, with_children

_WATCHER = """
import shutil, subprocess, sys
sys.stdin.read()
binary, folder = sys.argv[1:]
subprocess.run([binary, "cluster", "destroy", "--dir", folder + "/cluster"], stdout=subprocess.DEVNULL)
shutil.rmtree(folder, ignore_errors=True)
"""

# Failures are to be seen within the second that the tests allow, on a machine that does other things too.
_CLUSTER_DEFAULTS = {"probe_interval": "100ms", "probe_timeout": "300ms", "probe_failures": 2}


def _toml(section, values):
    lines = [f"[{section}]"] + [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


class ProxiedCluster:
    """address is where clients connect; proxy_pid is the process whose memory counts."""

    def __init__(self, binary, replicas=2, database=None, proxy=None, cluster=None, tls=False, verifiers=False):
        """The dictionaries add to the sections of the configuration; `verifiers`: users_file holds no passwords."""
        self.binary = binary
        self._dir = tempfile.mkdtemp(prefix="fairlead-test-")
        os.chmod(self._dir, 0o755)  # The servers' user passes through it.
        self._cluster_dir = os.path.join(self._dir, "cluster")
        self._watcher = subprocess.Popen(
            [sys.executable, "-c", _WATCHER, binary, self._dir], stdin=subprocess.PIPE, start_new_session=True
        )
        self._proxy, self._last_error = None, None
        try:
            made = self._run("cluster", "create", "--dir", self._cluster_dir, "--replicas", str(replicas), "--json")
            self.nodes = json.loads(made)["nodes"]
            with open(os.path.join(self._cluster_dir, "cluster.json"), encoding="utf-8") as file:
                self._state = json.load(file)
            self._make_user()
            self._write_config(database or {}, proxy or {}, {**_CLUSTER_DEFAULTS, **(cluster or {})}, tls, verifiers)
            self._start_proxy()
        except BaseException:
            self.stop()
            raise

    def _run(self, *arguments):
        done = subprocess.run([self.binary, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"fairlead {' '.join(arguments)}: exit code {done.returncode}\n{done.stderr}")
        return done.stdout

    # Nodes.

    def node_pid(self, index):
        with open(os.path.join(self.nodes[index]["data_dir"], "postmaster.pid"), encoding="ascii") as file:
            return int(file.readline())

    def signal_node(self, index, number):
        """To the server and all its backends, as a machine that loses power or hangs."""
        for pid in with_children(self.node_pid(index)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def start_nodes(self):
        self._run("cluster", "start", "--dir", self._cluster_dir)

    def superuser(self, index=0, database="postgres"):
        """A connection to a node itself."""
        spec, node = self._state["spec"], self.nodes[index]
        password = self._state["secrets"]["superuser"]
        return wire.Connection.login(Address(node["host"], node["port"], spec["superuser"], password, database))

    def _make_user(self):
        self._password = secrets.token_hex(8)
        with self.superuser() as server:
            server.run(f"create role tester login password '{self._password}'")
            server.run("create database tests owner tester")
            [(self._verifier,)] = server.run("select rolpassword from pg_authid where rolname = 'tester'")
        for index in range(len(self.nodes)):
            with self.superuser(index) as server:  # The files live for minutes.
                server.run("alter system set fsync = off")
                server.run("select pg_reload_conf()")

    # The proxy.

    def _write_config(self, database, proxy, cluster, tls, verifiers):
        ports = free_ports(4)
        listen = {"host": "127.0.0.1", **dict(zip(("port", "read_port", "primary_port", "http_port"), ports))}
        if tls:
            listen |= self._certificate()
        users = os.path.join(self._dir, "users.txt")
        with open(users, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(f'"tester" "{self._verifier if verifiers else self._password}"\n')
        nodes = [f"{node['host']}:{node['port']}" for node in self.nodes]
        monitor = {
            "monitor_user": self._state["spec"]["monitor_user"],
            "monitor_password": self._state["secrets"]["monitor"],
        }
        self._config = os.path.join(self._dir, "fairlead.toml")
        with open(self._config, "w", encoding="utf-8") as file:
            file.write(_toml("listen", listen))
            file.write(_toml("proxy", {"workers": 2, "shutdown_timeout": "1s", **proxy}))
            file.write(_toml("cluster.main", {"nodes": nodes, **monitor, **cluster}))
            file.write(_toml('database."*"', {"cluster": "main", **database}))
            file.write(_toml("auth", {"method": "scram-sha-256", "users_file": users}))
        primary_first = sorted(self.nodes, key=lambda node: node["role"] != "primary")
        self.address = Address(
            "127.0.0.1", ports[0], "tester", self._password, "tests", read_port=ports[1], primary_port=ports[2],
            nodes=tuple((node["host"], node["port"]) for node in primary_first),
        )

    def _certificate(self):
        key, certificate = os.path.join(self._dir, "key.pem"), os.path.join(self._dir, "certificate.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
            + ["-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost"],
            check=True, capture_output=True,
        )
        return {"tls_cert_file": certificate, "tls_key_file": key}

    def _start_proxy(self):
        allow_many_files()
        self._log = open(os.path.join(self._dir, "proxy.log"), "wb")
        self._proxy = subprocess.Popen(
            [self.binary, "up", "-c", self._config], stdout=self._log, stderr=self._log, preexec_fn=die_with_parent()
        )
        self.proxy_pid = self._proxy.pid
        try:
            eventually(self._answers, 20, "the proxy serves all three ports")
        except AssertionError as error:
            raise RuntimeError(f"{error}; last: {self._last_error!r}; its log:\n{self.log()}") from error

    def _answers(self):
        if self._proxy.poll() is not None:
            raise RuntimeError(f"the proxy ended with code {self._proxy.returncode}:\n{self.log()}")
        try:
            for port in (self.address.port, self.address.primary_port, self.address.read_port):
                with wire.Connection.login(self.address, port, timeout=5) as client:
                    client.run("select count(*) from pg_database")
            return True
        except (OSError, wire.Closed, wire.ServerError) as error:
            self._last_error = error
            time.sleep(0.1)
            return False

    def log(self):
        with open(self._log.name, encoding="utf-8", errors="replace") as file:
            return file.read()[-4000:]

    def stop(self):
        """Ends everything. A proxy that ended badly is an error: it would hide in no other test."""
        code = 0
        if self._proxy is not None:
            code = self._stop_proxy()
            log = self.log()
            self._log.close()
            self._proxy = None
        for node in getattr(self, "nodes", ()):
            self._thaw(node)
        self._watcher.stdin.close()
        self._watcher.wait(60)
        shutil.rmtree(self._dir, ignore_errors=True)
        if code != 0:
            raise RuntimeError(f"the proxy ended with code {code}:\n{log}")

    def _stop_proxy(self):
        if self._proxy.poll() is None:
            self._proxy.send_signal(signal.SIGTERM)
        try:
            return self._proxy.wait(20)
        except subprocess.TimeoutExpired:
            self._proxy.kill()
            self._proxy.wait()
            return "KILL: it did not stop within 20 s"

    def _thaw(self, node):
        """What a failing test left stopped could not be shut down."""
        try:
            self.signal_node(self.nodes.index(node), signal.SIGCONT)
        except OSError:
            pass  # It is not running.
