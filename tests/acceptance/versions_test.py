#!/usr/bin/python3
"""The versions of PostgreSQL that are kept up, but for Debian's, which all other tests use: reads on the replica, writes on the
primary, what the catalog knows, and drivers' ordinary work. The oldest and the newest that can be had; all in the long form."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import wire
from stand.debian_next import Unavailable
from stand.open import fairlead_binary, is_long, wants_direct
from stand.processes import eventually, signal_with_children
from stand.versions import NEXT, NPM_VERSIONS, ServerPrograms, VersionedServers, install, install_next

_RUN_DRIVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../drivers/run.py")
# Those that look most closely at answers; all of them in the long form.
_DRIVERS = ("psycopg2", "psycopg3", "asyncpg", "sqlalchemy", "django") if is_long() else ("psycopg3",)


class Version:
    """The tests of one version; a class of its own for each is made below."""

    version = 0

    @classmethod
    def setUpClass(cls):
        cls.servers = VersionedServers(fairlead_binary(), cls.version)
        cls.addClassCleanup(cls.servers.stop)
        cls.address = cls.servers.proxy.address

    def route(self, client, sql):
        client.run(sql)
        return client.run("show fairlead.last_route")[0][0]

    def goes_to_replica(self, sql):
        def read():
            with wire.Connection.login(self.address) as client:
                return self.route(client, sql) == "replica"
        eventually(read, 20, f"a replica serves {sql}")

    def test_it_is_that_version(self):
        with wire.Connection.login(self.address) as client:
            self.assertEqual(client.run("show server_version_num")[0][0][:2], str(self.version))

    def test_reads_go_to_the_replica_and_see_what_was_written(self):
        with wire.Connection.login(self.address) as client:
            client.run("create table if not exists seen (n int primary key)")
            self.goes_to_replica("select count(*) from seen")
            for n in range(200):
                self.assertEqual(self.route(client, f"insert into seen values ({n})"), "primary")
                self.assertEqual(client.run("select max(n) from seen"), [(str(n),)])
            self.assertEqual(client.run("insert into seen values (1) on conflict do nothing returning n"), [])

    def test_the_catalog_tells_what_a_function_may_do(self):
        with wire.Connection.login(self.address) as client:
            client.run("create function reads() returns bigint language sql stable as 'select count(*) from pg_class'")
            client.run("create function writes() returns bigint language sql volatile as 'select txid_current()::bigint'")
            client.run("create view behind as select writes() as n")
            self.goes_to_replica("select reads()")
            self.goes_to_replica("select count(*) from generate_series(1, 10)")
            self.assertEqual(self.route(client, "select writes()"), "primary")
            self.assertEqual(self.route(client, "select n from behind"), "primary")

    def test_state_follows_or_pins_the_client(self):
        with wire.Connection.login(self.address) as client:
            client.run("set work_mem = '5MB'")
            client.run("create temp table mine (n int)")
            client.run("insert into mine values (1)")
            self.assertEqual(client.run("select n from mine"), [("1",)])
            self.assertEqual(client.run("show work_mem"), [("5MB",)])
            client.run("discard all")
            client.run("create table if not exists after_discard (n int)")
            eventually(lambda: self.route(client, "select 1 from after_discard") == "replica", 20, "it is held no longer")

    def test_who_replicates_gets_a_key_of_the_length_that_its_protocol_has(self):  # F1, F5
        with self.servers.superuser() as server:
            server.run("alter role tester replication")
        with wire.Connection.login(self.address, replication="true") as client:  # Version 3.0, as libpq asks for.
            self.assertEqual(len(client.secret), 4)
            self.assertEqual(len(client.run("IDENTIFY_SYSTEM")), 1)

    def test_drivers_do_their_ordinary_work(self):
        done = subprocess.run([sys.executable, _RUN_DRIVERS, *_DRIVERS], env={**os.environ, **self.address.environment()},
                              capture_output=True, text=True, check=False, timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-6000:])


class ClusterOfVersion:
    """`fairlead cluster` on servers of the version; npm's with Debian's pg_basebackup and pg_rewind."""

    version = 0

    def setUp(self):
        self.programs = ServerPrograms(self.version)
        self.addCleanup(self.programs.remove)
        folder = tempfile.mkdtemp(prefix="fl-")
        os.chmod(folder, 0o755)
        self.dir = os.path.join(folder, "cluster")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.addCleanup(self.command, "destroy")

    def command(self, command, *more):
        done = subprocess.run([fairlead_binary(), "cluster", command, "--dir", self.dir, "--json", *more], capture_output=True,
                              text=True, check=False, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_its_commands_do_what_they_do_elsewhere(self):
        # mmap: what servers share in files of their own is gone with them, though they are killed.
        self.command("create", "--replicas", "2", "--sync", "any 1", "--pg-bin", self.programs.folder,
                     "--set", "dynamic_shared_memory_type=mmap")
        self.assertEqual(self.command("verify")["verdict"], "equal")
        self.assertEqual(self.command("switchover")["primary"], "node2")
        with open(f"{self.dir}/node2/postmaster.pid", encoding="ascii") as file:
            signal_with_children(int(file.readline()), signal.SIGKILL)
        promoted = self.command("promote")
        self.assertEqual((promoted["nothing_lost"], promoted["need_rejoin"]), (True, ["node2"]))
        self.assertEqual(self.command("rejoin", "node2")["node"], "node2")
        self.command("add-replica")
        self.command("sync", "any 2")
        self.assertEqual(self.command("verify")["verdict"], "equal")
        self.assertEqual(self.command("stop"), {"stopped": self.dir})


def versions():
    install()
    try:
        install_next()
    except Unavailable as unavailable:
        if is_long():
            raise
        print(f"{unavailable}; trying {NPM_VERSIONS[-1]} instead", file=sys.stderr)
        return NPM_VERSIONS[0], NPM_VERSIONS[-1]
    return (*NPM_VERSIONS, NEXT) if is_long() else (NPM_VERSIONS[0], NEXT)


if __name__ == "__main__":
    if wants_direct() or fairlead_binary() is None:
        sys.exit("set FAIRLEAD_BINARY")
    for number in versions():
        globals()[f"PostgreSQL{number}"] = type(f"PostgreSQL{number}", (Version, unittest.TestCase), {"version": number})
        if number in (NPM_VERSIONS[0], NEXT):
            globals()[f"Cluster{number}"] = type(f"Cluster{number}", (ClusterOfVersion, unittest.TestCase), {"version": number})
    unittest.main(verbosity=2)
