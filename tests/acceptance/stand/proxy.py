"""`fairlead up` in front of a cluster, with a configuration of its own. Several may serve one cluster at a time."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

import wire
from stand import without_io_uring
from stand.address import Address
from stand.certificates import Authority
from stand.processes import allow_many_files, die_with_parent, eventually, free_ports

# Failures are to be seen within a second or two. A replica of a busy machine must not count as one: it may answer late.
_CLUSTER_DEFAULTS = {"probe_interval": "100ms", "probe_timeout": "1s", "probe_failures": 2}


def _toml(section, values):
    lines = [f"[{section}]"] + [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


class Proxy:
    """address is where clients connect; pid is the process whose memory and time count."""

    def __init__(self, cluster, sections=None, nodes=None, tls=False, verifiers=False, users=None, environment=None,
                 network=None, files=None, io_uring=True):
        """`sections`: what to add to the sections "listen", "proxy", "cluster", "database" and "auth" of the configuration,
        and further ones by their whole names; `nodes`: which of the cluster's nodes it knows; `verifiers`: users_file holds
        no passwords; `users`: names and secrets in it beside the tests' own; `environment` adds to the process's;
        `network`: one of stand.network, in which it runs; `files`: how many open files it is started with, and how many it may
        have, "soft:hard"; `io_uring`: the system lets it use that."""
        self._cluster = cluster
        self._nodes = nodes or (network.nodes if network else cluster.nodes)
        self._host, self._prefix = (network.host, list(network.prefix)) if network else ("127.0.0.1", [])
        self._prefix += ["prlimit", f"--nofile={files}"] if files else []
        self._prefix += [] if io_uring else [sys.executable, without_io_uring.__file__]
        self._folder = tempfile.mkdtemp(prefix="proxy-", dir=cluster.folder)
        self._process, self._last_error = None, None
        listen = self._certificate() if tls else {}
        self._secret = cluster.verifier if verifiers else cluster.password
        self._write_users(users or {})
        self._write_config({**(sections or {}), "listen": {**listen, **(sections or {}).get("listen", {})}})
        try:
            self._start(environment or {})
        except BaseException:
            self.stop()
            raise

    def change_users(self, users):
        """For logins to come; the tests' own stays."""
        self._write_users(users)
        os.kill(self.pid, signal.SIGHUP)

    def _write_users(self, users):
        self._users = os.path.join(self._folder, "users.txt")
        with open(self._users, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.writelines(f'"{name}" "{secret}"\n' for name, secret in {"tester": self._secret, **users}.items())

    def _salt_key(self):
        """Without one, each start of a proxy spends a third of a second on making its own of the users."""
        name = os.path.join(self._folder, "salt.key")
        with open(name, "wb") as file:
            file.write(os.urandom(32))
        return name

    def _write_config(self, sections):
        sections, ports = dict(sections), free_ports(4)
        listen = {"host": self._host, **dict(zip(("port", "read_port", "primary_port", "http_port"), ports))}
        cluster = {
            "nodes": [f"{node['host']}:{node['port']}" for node in self._nodes],
            **self._cluster.monitor(),
            **_CLUSTER_DEFAULTS,
        }
        self.config = os.path.join(self._folder, "fairlead.toml")
        with open(self.config, "w", encoding="utf-8") as file:
            for short, name, values in (
                ("listen", "listen", listen), ("proxy", "proxy", {"workers": 2, "shutdown_timeout": "1s"}),
                ("cluster", "cluster.main", cluster), ("database", 'database."*"', {"cluster": "main"}),
                ("auth", "auth", {"method": "scram-sha-256", "users_file": self._users, "salt_key_file": self._salt_key()}),
            ):
                file.write(_toml(name, {**values, **sections.pop(short, {})}))
            for name, values in sections.items():
                file.write(_toml(name, values))
        primary_first = sorted(self._nodes, key=lambda node: node["role"] != "primary")
        self.address = Address(
            self._host, ports[0], "tester", self._cluster.password, "tests", read_port=ports[1], primary_port=ports[2],
            nodes=tuple((node["host"], node["port"]) for node in primary_first),
        )
        self.http_port = ports[3]

    def _certificate(self):
        certificate, key = Authority(self._folder, "authority").issue("localhost")
        return {"tls_cert_file": certificate, "tls_key_file": key}

    def _start(self, environment):
        allow_many_files()
        self._log = open(os.path.join(self._folder, "proxy.log"), "wb")
        self._process = subprocess.Popen(
            [*self._prefix, self._cluster.binary, "up", "-c", self.config], stdout=self._log, stderr=self._log,
            env={**os.environ, **environment}, preexec_fn=die_with_parent(),
        )
        self.pid = self._process.pid
        try:
            eventually(self._answers, 20, "the proxy serves all its ports")
        except AssertionError as error:
            raise RuntimeError(f"{error}; last: {self._last_error!r}; its log:\n{self.log()}") from error

    def _answers(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"the proxy ended with code {self._process.returncode}:\n{self.log()}")
        try:
            ports = [self.address.port, self.address.primary_port]
            if len(self._nodes) > 1:  # Without a replica nothing is read on the read port.
                ports.append(self.address.read_port)
            for port in ports:
                with wire.Connection.login(self.address, port, timeout=5) as client:
                    client.run("select count(*) from pg_database")
            return True
        except (OSError, wire.Closed, wire.ServerError) as error:
            self._last_error = error
            time.sleep(0.1)
            return False

    def whole_log(self):
        with open(self._log.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log(self):
        return self.whole_log()[-4000:]

    def stop(self):
        """A proxy that ended badly is an error: it would hide in no other test."""
        if self._process is None:
            return
        code = self._end_process()
        self._process = None
        log = self.log()
        self._log.close()
        if code != 0:
            raise RuntimeError(f"the proxy ended with code {code}:\n{log}")

    def _end_process(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return "KILL: it did not stop within 20 s"
