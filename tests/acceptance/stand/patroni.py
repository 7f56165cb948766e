"""A cluster that Patroni manages: etcd and Patroni's members on this machine, as Debian ships them, each in a folder of its own.

A watcher process ends what Patroni has started even when the test is killed: a postmaster outlives its Patroni on purpose.
"""
import json
import os
import secrets
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.request

import wire
from stand.address import Address
from stand.etcd import Etcd
from stand.processes import die_with_parent, eventually, free_ports, postgres_tool, signal_with_children

_WATCHER = """
import glob, os, shutil, signal, sys, time
sys.stdin.read()
folder = sys.argv[1]
time.sleep(0.2)  # Patroni itself has been told to die with the test.
for pid_file in glob.glob(folder + "/*/data/postmaster.pid"):
    try:
        os.kill(int(open(pid_file).readline()), signal.SIGQUIT)
    except (OSError, ValueError):
        pass
for attempt in range(100):
    shutil.rmtree(folder, ignore_errors=True)
    if not os.path.exists(folder):
        break
    time.sleep(0.1)
"""

# Patroni's own bounds allow no faster failover; what a cluster in earnest has is three times as long.
_TTL = {"ttl": 20, "loop_wait": 1, "retry_timeout": 3}


class Member:
    """One Patroni and its PostgreSQL."""

    def __init__(self, cluster, name, tags):
        self.name = name
        self.host, (self.port, self.rest_port) = "127.0.0.1", free_ports(2)
        self.url = f"{'https' if cluster.rest_certificate else 'http'}://127.0.0.1:{self.rest_port}"
        self._cluster = cluster
        self.folder = os.path.join(cluster.folder, name)
        self.data = os.path.join(self.folder, "data")
        os.makedirs(self.folder, mode=0o700)
        self.config = os.path.join(self.folder, "patroni.yml")
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump(self._configuration(tags), file)  # JSON is YAML.
        cluster.give_to_server(self.folder)
        cluster.give_to_server(self.config)
        self.process = None

    def _configuration(self, tags):
        passwords, address = self._cluster.passwords, f"{self.host}:{self.port}"
        rest = {"listen": f"127.0.0.1:{self.rest_port}", "connect_address": f"127.0.0.1:{self.rest_port}"}
        if self._cluster.rest_certificate:
            rest |= dict(zip(("certfile", "keyfile"), self._cluster.rest_certificate))
        return {
            "scope": self._cluster.scope, "name": self.name, "tags": tags, "restapi": rest,
            "etcd": {"hosts": [self._cluster.etcd.hostport]},
            "bootstrap": {
                "dcs": {**_TTL, "maximum_lag_on_failover": 1 << 20, "synchronous_mode": True,
                        "postgresql": {"use_pg_rewind": True, "use_slots": True}},
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums", "no-sync"],
                "pg_hba": ["host all all 127.0.0.1/32 scram-sha-256", "host replication all 127.0.0.1/32 scram-sha-256"],
            },
            "postgresql": {
                "listen": address, "connect_address": address, "data_dir": self.data,
                "bin_dir": os.path.dirname(postgres_tool("postgres")), "pgpass": os.path.join(self.folder, "pgpass"),
                "authentication": {
                    "superuser": {"username": "postgres", "password": passwords["postgres"]},
                    "replication": {"username": "replicator", "password": passwords["replicator"]},
                    "rewind": {"username": "rewinder", "password": passwords["rewinder"]},
                },
                "basebackup": [{"checkpoint": "fast"}],
                "parameters": {"unix_socket_directories": self.folder, "fsync": "off", "max_connections": 120,
                               "dynamic_shared_memory_type": "mmap"},
                "pg_hba": ["host all all 127.0.0.1/32 scram-sha-256", "host replication all 127.0.0.1/32 scram-sha-256"],
            },
        }

    def start(self):
        with open(self.folder + ".log", "ab") as log:
            self.process = subprocess.Popen(
                ["patroni", self.config], stdout=log, stderr=log, cwd="/", preexec_fn=die_with_parent(),
                env={**os.environ, "PATH": "/usr/bin:/bin", "HOME": self.folder}, **self._cluster.as_user,
            )

    def postmaster(self):
        with open(os.path.join(self.data, "postmaster.pid"), encoding="ascii") as file:
            return int(file.readline())

    def kill(self):
        """Patroni and its server, as a machine that loses power."""
        self.process.kill()
        try:
            signal_with_children(self.postmaster(), signal.SIGKILL)
        except (OSError, ValueError):
            pass  # It was not running.
        self.process.wait()

    def ask(self, path):
        """Patroni's answer to GET, as JSON; None when there is none."""
        try:
            unverified = ssl._create_unverified_context() if self._cluster.rest_certificate else None
            with urllib.request.urlopen(self.url + path, timeout=5, context=unverified) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            return None

    def log(self):
        with open(self.folder + ".log", encoding="utf-8", errors="replace") as file:
            return file.read()[-3000:]

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()


class PatroniCluster:
    """members[i] is what nodes[i] says; who leads is asked for. stop() removes everything."""

    def __init__(self, binary, members=3, tags=None, certificate=None):
        """`tags`: Patroni's, by the number of the member; `certificate`: files of one and its key, for HTTPS."""
        self.binary, self.scope, self.rest_certificate = binary, "shop", certificate
        self.as_user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        self.folder = tempfile.mkdtemp(prefix="fairlead-patroni-")
        os.chmod(self.folder, 0o755)  # The servers' user passes through it.
        self._watcher = subprocess.Popen(
            [sys.executable, "-c", _WATCHER, self.folder], stdin=subprocess.PIPE, start_new_session=True
        )
        self.passwords = {name: secrets.token_hex(8) for name in ("postgres", "replicator", "rewinder", "fairlead")}
        self.password = secrets.token_hex(8)
        self.etcd, self.members = None, []
        try:
            self.etcd = Etcd(self.folder, self.as_user)
            self.members = [Member(self, f"m{i + 1}", (tags or {}).get(i, {})) for i in range(members)]
            self.nodes = [{"host": one.host, "port": one.port, "role": "replica"} for one in self.members]
            self._start()
        except BaseException:
            self.stop()
            raise

    def add_member(self):
        """One more, which clones itself; its number."""
        self.members.append(Member(self, f"m{len(self.members) + 1}", {}))
        self.nodes.append({"host": self.members[-1].host, "port": self.members[-1].port, "role": "replica"})
        self.members[-1].start()
        return len(self.members) - 1

    def remove_member(self, index):
        """For good, as when its machine is given back."""
        self.members[index].stop()
        del self.members[index], self.nodes[index]

    def give_to_server(self, path):
        if self.as_user:
            shutil.chown(path, "postgres", "postgres")

    def _start(self):
        # The first one makes the cluster, so that the others need not compete.
        self.members[0].start()
        self.wait_for_leader(60)
        for member in self.members[1:]:
            member.start()
        self._make_users()
        self.wait_until_whole()

    def _make_users(self):
        with self.superuser(self.leader()) as server:
            server.run(f"create role fairlead login password '{self.passwords['fairlead']}' in role pg_monitor")
            server.run(f"create role tester login password '{self.password}'")
            server.run("create database tests owner tester")
            self.verifier = server.value("select rolpassword from pg_authid where rolname = 'tester'")

    def leader(self):
        """The number of the member that has the lock and says itself that it is the primary; None without one."""
        for index, member in enumerate(self.members):
            status = member.ask("/primary")  # 503 where it is none.
            if status and status.get("role") in ("master", "primary") and status.get("state") == "running":
                return index
        return None

    def wait_for_leader(self, timeout=60, other_than=None):
        def found():
            leader = self.leader()
            return None if leader is None or leader == other_than else [leader]
        try:
            return eventually(found, timeout, "a member leads")[0]
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(member.log() for member in self.members)) from error

    def wait_until_whole(self, timeout=120):
        """Until every member is running, and the others stream from the leader."""
        def whole():
            leader = self.leader()
            if leader is None:
                return False
            answer = self.members[leader].ask("/patroni") or {}
            streaming = [one for one in answer.get("replication", []) if one["state"] == "streaming" and one["application_name"] != "pg_basebackup"]
            return len(streaming) >= len(self.members) - 1
        try:
            eventually(whole, timeout, "all members stream")
        except AssertionError as error:
            raise AssertionError(f"{error}\n" + "\n".join(member.log() for member in self.members)) from error

    def ctl(self, *arguments):
        """patronictl, with the first member's configuration."""
        done = subprocess.run(["patronictl", "-c", self.members[0].config, *arguments], capture_output=True, text=True,
                              cwd="/", check=False, env={**os.environ, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"})
        if done.returncode != 0:
            raise RuntimeError(f"patronictl {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def superuser(self, index, database="postgres"):
        """A connection to a node itself."""
        node = self.nodes[index]
        return wire.Connection.login(Address(node["host"], node["port"], "postgres", self.passwords["postgres"], database))

    def monitor(self):
        return {"monitor_user": "fairlead", "monitor_password": self.passwords["fairlead"]}

    def urls(self):
        return [member.url for member in self.members]

    def stop(self):
        for member in self.members:
            member.stop()
        if self.etcd is not None:
            self.etcd.stop()
        self._watcher.stdin.close()
        self._watcher.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)
