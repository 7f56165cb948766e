"""A primary and a replica of a version of PostgreSQL that Debian 12 does not have, from npm's packages (../versions) or from
Debian's next ones, with Fairlead in front."""
import os
import shutil
import tempfile

from stand import debian_next, npm
from stand.plain import SETTINGS, PlainPostgres
from stand.processes import eventually, free_ports, postgres_tool
from stand.proxy import Proxy

NPM_VERSIONS = (13, 14, 16, 17, 18)
NEXT = debian_next.VERSION
_PACKAGES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "versions")
_NEXT_FOLDER = os.path.join(_PACKAGES, "debian-next")


def install():
    """Fetches the servers that are pinned, where they are not there."""
    npm.install(_PACKAGES)


def install_next():
    """The same for NEXT, which is whatever Debian has of it today; debian_next.Unavailable: nothing."""
    debian_next.fetch(_NEXT_FOLDER)


class ServerPrograms:
    """`folder` has the programs of that version, and Debian's where it has none; for every user. Not where the checkout lies:
    the servers' user need not be able to get there."""

    def __init__(self, version):
        self._root = tempfile.mkdtemp(prefix="fairlead-programs-")
        os.chmod(self._root, 0o755)
        native = os.path.join(self._root, "native")
        if version == NEXT:
            self.folder = debian_next.copy_programs(_NEXT_FOLDER, native)
            return
        shutil.copytree(f"{_PACKAGES}/node_modules/postgresql-{version}/native", native, symlinks=True)
        self.folder = os.path.join(native, "bin")
        for name in ("pg_basebackup", "pg_rewind", "pg_controldata"):
            if not os.path.exists(os.path.join(self.folder, name)):
                os.symlink(postgres_tool(name), os.path.join(self.folder, name))

    def remove(self):
        shutil.rmtree(self._root, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


class VersionedServers(PlainPostgres):
    """proxy is Fairlead in front of both; stop() ends and removes everything."""

    def __init__(self, binary, version):
        self.binary, self.version = binary, version
        self._replica, self.proxy, self._copied = None, None, ServerPrograms(version)
        super().__init__(programs="to be copied")

    def _make(self):
        os.chmod(self.folder, 0o755)
        self._programs = self._copied.folder
        super()._make()

    def _start(self, settings, hba):
        super()._start(settings, hba)
        port = self.address.port
        [replica_port] = free_ports(1)
        self._replica = self._run_server(self._copy_of_primary(), replica_port, SETTINGS)
        with self.superuser() as server:
            streams = "select count(*) from pg_stat_replication where state = 'streaming'"
            eventually(lambda: server.value(streams) == "1", 30, "the replica streams")
            self.verifier = server.value("select rolpassword from pg_authid where rolname = 'tester'")
        self.nodes = [{"host": "127.0.0.1", "port": port, "role": "primary"},
                      {"host": "127.0.0.1", "port": replica_port, "role": "replica"}]
        self.proxy = Proxy(self)

    def _copy_of_primary(self):
        """A base backup by hand, as these packages have no pg_basebackup."""
        data = os.path.join(self.folder, "replica")
        begin, end = (("pg_backup_start('copy', true)", "pg_backup_stop()") if self.version >= 15 else
                      ("pg_start_backup('copy', true, false)", "pg_stop_backup(false)"))
        with self.superuser() as server:
            server.run(f"select {begin}")
            shutil.copytree(self._data, data, ignore=shutil.ignore_patterns("postmaster.*"))
            label = server.value(f"select labelfile from {end}")
        for name, text in (
            ("backup_label", label), ("standby.signal", ""),
            ("postgresql.auto.conf", "primary_conninfo = 'host=127.0.0.1 "
             f"port={self.address.port} user=postgres password={self.password}'\n"),
        ):
            with open(os.path.join(data, name), "w", encoding="utf-8") as file:
                file.write(text)
        for folder, _, names in os.walk(data):
            for name in ("", *names):
                self._give_to_server(os.path.join(folder, name))
        os.chmod(data, 0o700)
        return data

    def monitor(self):
        return {"monitor_user": "postgres", "monitor_password": self.password}

    def stop(self):
        try:
            if self.proxy is not None:
                self.proxy.stop()
        finally:
            if self._replica is not None:
                self._replica.kill()
                self._replica.wait()
            super().stop()
            self._copied.remove()
