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

# jit_above_cost: what drivers ask the catalogue takes a tenth of the time that compiling it would; `jit` itself stays on.
SETTINGS = {"fsync": "off", "dynamic_shared_memory_type": "mmap", "jit_above_cost": "-1", "max_connections": "150",
            "unix_socket_directories": "", "listen_addresses": "127.0.0.1"}


class PlainPostgres:
    """A server of its own in a temporary folder. stop() removes everything."""

    proxy_pid = None

    def __init__(self, certificate=None, hba=None, password=None, programs=None, **settings):
        """`programs`: the folder of initdb and postgres, where they are not Debian's; `certificate`: files of a certificate
        and its key, for ssl=on; `hba`: the lines of pg_hba.conf, without which everybody gives the password by SCRAM. The
        rest are settings of the server."""
        # PostgreSQL refuses to run as root.
        self._as_user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        self.folder = tempfile.mkdtemp(prefix="fairlead-plain-")
        self._process, self._programs = None, programs
        self.password = password or secrets.token_hex(8)
        try:
            self._make()
            if certificate:
                settings |= self._use_certificate(*certificate)
            self._start({**SETTINGS, **settings}, hba)
        except BaseException:
            self.stop()
            raise

    def _program(self, name):
        return os.path.join(self._programs, name) if self._programs else postgres_tool(name)

    def _make(self):
        password_file = os.path.join(self.folder, "password")
        with open(password_file, "w", encoding="ascii") as file:
            file.write(self.password)
        self._give_to_server(self.folder)
        self._give_to_server(password_file)
        self._data = os.path.join(self.folder, "data")
        subprocess.run(
            [self._program("initdb"), "-D", self._data, "-U", "postgres", "-A", "scram-sha-256", "--pwfile", password_file]
            + ["-E", "UTF8", "--locale=C", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd="/", **self._as_user,
        )

    def _give_to_server(self, path):
        if self._as_user:
            shutil.chown(path, "postgres", "postgres")

    def _use_certificate(self, certificate, key):
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            target = os.path.join(self._data, name)
            shutil.copyfile(source, target)
            os.chmod(target, 0o600)  # PostgreSQL takes no key that others may read.
            self._give_to_server(target)
        return {"ssl": "on"}

    def change_certificate(self, certificate, key):
        """For connections to come; those that are there stay as they are."""
        self._use_certificate(certificate, key)
        with self.superuser() as server:
            server.run("select pg_reload_conf()")

    def end_other_connections(self):
        with self.superuser() as server:
            server.run("select pg_terminate_backend(pid, 10000) from pg_stat_activity "
                       "where backend_type = 'client backend' and pid <> pg_backend_pid()")

    def _start(self, settings, hba):
        [port] = free_ports(1)
        self._log = open(os.path.join(self.folder, "log"), "wb")
        self._process = self._run_server(self._data, port, settings)
        self.address = Address(
            "127.0.0.1", port, "tester", self.password, "tests", nodes=(("127.0.0.1", port),), direct=True
        )
        eventually(self._answers, 30, "plain PostgreSQL answers")
        with self.superuser() as server:
            server.run(f"create role tester login password '{self.password}'")
            server.run("create database tests owner tester")
            if hba:  # Only now: it may keep us out, too.
                self._write_hba(hba)
                server.run("select pg_reload_conf()")

    def _run_server(self, data, port, settings):
        command = [self._program("postgres"), "-D", data, "-p", str(port)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return subprocess.Popen(
            command, stdout=self._log, stderr=self._log, cwd="/", preexec_fn=die_with_parent(signal.SIGQUIT),
            **self._as_user,
        )

    def _write_hba(self, lines):
        with open(os.path.join(self._data, "pg_hba.conf"), "w", encoding="ascii") as file:
            file.writelines(f"{line}\n" for line in lines)

    def superuser(self, database="postgres"):
        """A connection to the server itself."""
        return wire.Connection.login(dataclasses.replace(self.address, user="postgres", database=database))

    def _answers(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended:\n{self.log()}")
        ready = subprocess.run(
            [postgres_tool("pg_isready"), "-q"], env=self.address.libpq_environment(), check=False
        )
        return ready.returncode == 0

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-4000:]

    def stop(self):
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None
            self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
