"""One plain PostgreSQL server, to hold the tests' own assumptions to PostgreSQL itself."""
import dataclasses
import os
import secrets
import shutil
import signal
import subprocess
import tempfile

import wire
from stand.address import Address
from stand.processes import die_with_parent, eventually, free_ports, postgres_tool

_SETTINGS = {"fsync": "off", "max_connections": "150", "unix_socket_directories": "", "listen_addresses": "127.0.0.1"}


class PlainPostgres:
    """A server of its own in a temporary folder. stop() removes everything."""

    proxy_pid = None

    def __init__(self, **settings):
        # PostgreSQL refuses to run as root.
        self._as_user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        self._dir = tempfile.mkdtemp(prefix="fairlead-plain-")
        self._process = None
        try:
            self._start({**_SETTINGS, **settings})
        except BaseException:
            self.stop()
            raise

    def _start(self, settings):
        password = secrets.token_hex(8)
        password_file = os.path.join(self._dir, "password")
        with open(password_file, "w", encoding="ascii") as file:
            file.write(password)
        if self._as_user:
            shutil.chown(self._dir, "postgres", "postgres")
            shutil.chown(password_file, "postgres", "postgres")
        data = os.path.join(self._dir, "data")
        subprocess.run(
            [postgres_tool("initdb"), "-D", data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", password_file]
            + ["-E", "UTF8", "--locale=C", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd="/", **self._as_user,
        )
        [port] = free_ports(1)
        command = [postgres_tool("postgres"), "-D", data, "-p", str(port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._log = open(os.path.join(self._dir, "log"), "wb")
        self._process = subprocess.Popen(
            command, stdout=self._log, stderr=self._log, cwd="/", preexec_fn=die_with_parent(signal.SIGQUIT),
            **self._as_user,
        )
        self.address = Address(
            "127.0.0.1", port, "tester", password, "tests", nodes=(("127.0.0.1", port),), direct=True
        )
        eventually(self._answers, 30, "plain PostgreSQL answers")
        with wire.Connection.login(dataclasses.replace(self.address, user="postgres", database="postgres")) as server:
            server.run(f"create role tester login password '{password}'")
            server.run("create database tests owner tester")

    def _answers(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended:\n{self.log()}")
        ready = subprocess.run(
            [postgres_tool("pg_isready"), "-q"], env=self.address.libpq_environment(), check=False
        )
        return ready.returncode == 0

    def log(self):
        with open(os.path.join(self._dir, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-4000:]

    def stop(self):
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None
            self._log.close()
        shutil.rmtree(self._dir, ignore_errors=True)
