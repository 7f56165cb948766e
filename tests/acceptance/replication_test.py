#!/usr/bin/python3
"""Replication through the proxy: each connection has a server of its own on the primary, and everything passes as it is: F5, C21."""
import os
import signal
import subprocess
import sys
import time
import unittest

import wire
from stand.open import only_proxied, run_program
from stand.processes import eventually, is_alive, postgres_tool
from stand.proxy import Proxy

STAND = None
SLOT = "through_the_proxy"
AT_ONCE = 5  # Seconds: far less than shutdown_timeout, and enough for a machine that does other things, too.


def let_tester_replicate():
    """The cluster's own rules know its replicas only."""
    for index, node in enumerate(STAND.nodes):
        with open(os.path.join(node["data_dir"], "pg_hba.conf"), "a", encoding="ascii") as rules:
            rules.write("host replication tester 127.0.0.1/32 scram-sha-256\n")
        with STAND.superuser(index) as server:
            server.run("select pg_reload_conf()")
    with STAND.superuser() as server:
        server.run("alter role tester replication")
        server.run("alter system set wal_level = logical")
    pid = STAND.node_pid(0)
    os.kill(pid, signal.SIGINT)  # A fast shutdown.
    eventually(lambda: not is_alive(pid), 20, "the primary has stopped")
    STAND.start_nodes()
    eventually(serves_writes, 30, "the primary is back")


def serves_writes():
    with wire.Connection.login(STAND.address) as client:
        client.run("create table if not exists replicated (n int, word text)")
        return client.run("show wal_level") == [("logical",)]


def tool(name, *arguments, database=None, port=None):
    """The command line of one of PostgreSQL's programs that connects through the proxy."""
    address = STAND.address
    place = ["-h", address.host, "-p", str(port or address.port), "-U", address.user, "-w"]
    if database:
        place += ["-d", database]
    return [postgres_tool(name), *place, *arguments]


def environment():
    return {**os.environ, "PGPASSWORD": STAND.address.password, "PGCONNECT_TIMEOUT": "20"}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment(), check=False)
    if done.returncode != 0:
        raise AssertionError(f"{os.path.basename(command[0])} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def walsenders():
    with STAND.superuser() as server:
        return int(server.run("select count(*) from pg_stat_replication where usename = 'tester'")[0][0])


def bytes_behind():
    """How much of the log waits for the tests' only receiver."""
    with STAND.superuser() as server:
        rows = server.run("select pg_current_wal_lsn() - sent_lsn from pg_stat_replication where usename = 'tester'")
        return int(rows[0][0] or 0) if rows else 0


@only_proxied
class Replication(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        let_tester_replicate()

    def setUp(self):
        self.folder = os.path.join(STAND.folder, self.id().rsplit(".", 1)[1])

    def test_a_base_backup_starts_as_it_came(self):
        with wire.Connection.login(STAND.address) as client:
            client.run("insert into replicated select n, repeat('x', 1000) from generate_series(1, 20000) n")
        run(tool("pg_basebackup", "-D", self.folder, "-X", "stream", "-c", "fast"))
        run([postgres_tool("pg_verifybackup"), self.folder])

    def test_changes_are_decoded_while_they_happen(self):
        def receiver_of(*arguments):
            return tool("pg_recvlogical", "-S", SLOT, *arguments, database=STAND.address.database)

        run(receiver_of("--create-slot", "-P", "test_decoding"))
        follow = receiver_of("--start", "-f", "-", "-o", "skip-empty-xacts=on", "--no-loop")
        # Interrupted, it complains that the stream has ended, with or without a proxy.
        with subprocess.Popen(follow, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              env=environment()) as receiver:
            try:
                with wire.Connection.login(STAND.address) as client:
                    for number in range(1000):
                        client.run(f"insert into replicated values ({number}, 'row {number}')")
                found = []
                for line in receiver.stdout:
                    if "INSERT" in line:
                        found.append(line)
                    if "row 999'" in line:
                        break
            finally:
                receiver.send_signal(signal.SIGINT)  # It tells the server how far it came.
                receiver.stdout.close()
        self.assertEqual(receiver.returncode, 0)
        self.assertEqual(len(found), 1000)
        self.assertIn("n[integer]:0 word[text]:'row 0'", found[0])
        eventually(lambda: walsenders() == 0, 10, "its server has gone with it")
        run(receiver_of("--drop-slot"))

    def test_the_write_ahead_log_is_followed_and_the_receiver_outlives_its_server(self):
        os.mkdir(self.folder)
        with subprocess.Popen(tool("pg_receivewal", "-D", self.folder), stderr=subprocess.PIPE, text=True,
                              env=environment()) as receiver:
            try:
                eventually(lambda: walsenders() == 1, 20, "it streams")
                with STAND.superuser() as server:
                    server.run("select pg_terminate_backend(pid) from pg_stat_replication where usename = 'tester'")
                eventually(lambda: walsenders() == 1, 30, "it streams again")
                with STAND.superuser() as server:
                    server.run("select pg_switch_wal()")
                    segment = server.run("select pg_walfile_name(pg_current_wal_lsn())")[0][0]
                    server.run("create table one_more (n int)")
                    server.run("select pg_switch_wal()")
                eventually(lambda: segment in os.listdir(self.folder), 20, "the segment has arrived")
            finally:
                receiver.send_signal(signal.SIGINT)
                receiver.stderr.read()
        run([postgres_tool("pg_waldump"), "-q", os.path.join(self.folder, segment)])

    def test_ordinary_statements_on_a_replication_connection_are_the_primarys(self):
        with wire.Connection.login(STAND.address, replication="database") as client:
            self.assertEqual(client.run("select pg_is_in_recovery()"), [("f",)])
            [(system, timeline, _, database)] = client.run("IDENTIFY_SYSTEM")
            self.assertEqual(database, "tests")
        with STAND.superuser() as server:
            self.assertEqual(server.run("select system_identifier from pg_control_system()"), [(system,)])
            self.assertEqual(server.run("select timeline_id from pg_control_checkpoint()"), [(timeline,)])

    def test_a_server_that_refuses_is_heard(self):
        with STAND.superuser() as server:
            server.run("alter role tester noreplication")
        try:
            with self.assertRaises(wire.ServerError) as raised:
                wire.Connection.login(STAND.address, replication="true").close()
            self.assertEqual(raised.exception.sqlstate, "42501")
        finally:
            with STAND.superuser() as server:
                server.run("alter role tester replication")

    def other_proxy(self):
        """One that can be stopped, with the shutdown_timeout that it has by itself: 30 s."""
        proxy = Proxy(STAND, {"proxy": {"shutdown_timeout": "30s"}})
        self.addCleanup(proxy.stop)
        return proxy

    def stop_at_once(self, proxy):
        began = time.monotonic()
        proxy.stop()  # An error if it has to be killed.
        self.assertLess(time.monotonic() - began, AT_ONCE)

    def test_a_stop_tells_who_follows_the_write_ahead_log(self):
        os.mkdir(self.folder)
        other = self.other_proxy()
        command = tool("pg_receivewal", "-D", self.folder, "--no-loop", port=other.address.port)
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as receiver:
            eventually(lambda: walsenders() == 1, 20, "it streams")
            self.stop_at_once(other)
            self.assertIn("terminating connection due to administrator command", receiver.stderr.read())
            self.assertEqual(receiver.wait(20), 1)
        eventually(lambda: walsenders() == 0, 10, "its server has gone with it")

    def test_a_stop_tells_a_replicating_client_that_waits_for_a_command(self):
        other = self.other_proxy()
        with wire.Connection.login(other.address, replication="database") as client:
            client.run("IDENTIFY_SYSTEM")
            self.stop_at_once(other)
            with self.assertRaises(wire.ServerError) as raised:
                client.run("IDENTIFY_SYSTEM")
            self.assertEqual(raised.exception.sqlstate, "57P01")

    def test_a_stop_lets_a_transaction_of_a_replicating_client_end(self):
        other = self.other_proxy()
        with wire.Connection.login(other.address, replication="database") as client:
            client.run("begin")
            os.kill(other.pid, signal.SIGTERM)
            eventually(lambda: "waiting up to" in other.log(), 10, "it waits")
            self.assertEqual(client.run("select 'still in'"), [("still in",)])
            client.run("commit")
            self.stop_at_once(other)
            with self.assertRaises(wire.ServerError) as raised:
                client.run("select 'late'")
            self.assertEqual(raised.exception.sqlstate, "57P01")

    def test_a_stop_does_not_wait_for_a_replicating_client_that_reads_nothing(self):
        other = self.other_proxy()
        with wire.Connection.login(other.address, replication="true") as client:
            [(_, _, position, _)] = client.run("IDENTIFY_SYSTEM")
            client.send(wire.query(f"START_REPLICATION PHYSICAL {position}"))
            with STAND.superuser() as server:
                server.run("create table much as select n, repeat('x', 1000) from generate_series(1, 50000) n")
            eventually(lambda: bytes_behind() > 10 << 20, 20, "it has fallen behind: nothing more fits into the sockets")
            self.stop_at_once(other)
        eventually(lambda: walsenders() == 0, 10, "its server has gone with it")


if __name__ == "__main__":
    run_program(sys.modules[__name__], replicas=1)
