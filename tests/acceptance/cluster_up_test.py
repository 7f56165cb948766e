#!/usr/bin/python3
"""`fairlead cluster up --auto-failover` keeps a cluster alive through killed and hung primaries: E7, E10, E12. Rows that were
acknowledged are all there, the old primary rejoins, and the time without writes is printed, to the nodes and through Fairlead."""
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import unittest
import unittest.mock

import wire
from stand.commands import CommandedProxiedCluster
from stand.open import is_long, only_proxied, run_program
from stand.processes import die_with_parent, eventually

STAND = None
ROUNDS = 20 if is_long() else 3
PATIENCE = 60  # A deadline, not a measure: other tests run at the same time.


class Supervisor:
    """The program in the foreground, and the events that it has told."""

    def __init__(self, *arguments):
        self.log_path = os.path.join(STAND.folder, "supervisor.log")
        with open(self.log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                STAND.arguments("up", "--json", *arguments), stdout=log, stderr=log,
                preexec_fn=die_with_parent())
        eventually(lambda: self.events("watching"), PATIENCE, "the supervisor watches")

    def events(self, kind=None):
        with open(self.log_path, encoding="utf-8") as log:
            found = [json.loads(line) for line in log if line.startswith("{") and line.endswith("}\n")]
        return [event for event in found if kind in (None, event["event"])]

    def stop(self):
        self.process.terminate()
        return self.process.wait(30)


def primary():
    """The index of the node that is the primary by its own word; None without one."""
    for index in range(len(STAND.nodes)):
        try:
            with STAND.superuser(index) as node:
                if node.value("select pg_is_in_recovery()") == "f":
                    return index
        except (OSError, wire.ServerError, EOFError):
            pass
    return None


def streaming(index):
    with STAND.superuser(index) as node:
        return node.value("select count(*) from pg_stat_replication where state = 'streaming'")


class Rows:
    """Inserts 1, 2, 3, ... wherever the primary is."""

    def __init__(self):
        self.acknowledged, self.n = [], 0

    def write_until_acknowledged(self, timeout):
        """Seconds until a row was acknowledged."""
        began = time.monotonic()
        while True:
            self.n += 1
            if self.insert():
                self.acknowledged.append(self.n)
                return time.monotonic() - began
            if time.monotonic() - began > timeout:
                raise AssertionError(f"no write within {timeout} s")
            time.sleep(0.01)

    def insert(self):
        """Whether a node has acknowledged row n."""
        for index in range(len(STAND.nodes)):
            try:
                with STAND.superuser(index, "tests", timeout=0.5) as node:
                    node.run(f"insert into t values ({self.n})")
                return True
            except (OSError, wire.ServerError, EOFError, AssertionError):
                pass
        return False


class RowsThroughFairlead(Rows):
    """The same by one connection to the proxy, which stays: only what was under way may end without an answer."""

    def __init__(self):
        super().__init__()
        self.client = wire.Connection.login(STAND.address, timeout=PATIENCE)

    def insert(self):
        try:
            self.client.run(f"insert into t values ({self.n})")
            return True
        except wire.ServerError as error:
            if error.sqlstate != "08007":
                raise
            return False


@only_proxied
class AutoFailover(unittest.TestCase):
    def setUp(self):
        STAND.command("start")
        eventually(lambda: primary() is not None, PATIENCE, "there is a primary")
        with STAND.superuser(primary(), "tests") as node:
            node.run("drop table if exists t; create table t (n int); grant all on t to tester")

    def expect_whole(self, rows):
        index = eventually(lambda: primary() is not None and streaming(primary()) == "2", PATIENCE,
                           "both replicas stream") and primary()
        with STAND.superuser(index, "tests") as node:
            there = {int(n) for (n,) in node.run("select n from t")}
        self.assertEqual(set(rows.acknowledged) - there, set(), "acknowledged and lost")

    def rounds(self, harm, expected, rows):
        supervisor, times = Supervisor("--auto-failover"), []
        try:
            for _ in range(ROUNDS):
                for _ in range(20):
                    rows.write_until_acknowledged(PATIENCE)
                old = primary()
                before, rejoined = len(supervisor.events(expected)), len(supervisor.events("rejoined"))
                harm(old)
                times.append(rows.write_until_acknowledged(PATIENCE))
                eventually(lambda: len(supervisor.events(expected)) > before, PATIENCE, f"it is told: {expected}")
                self.assertEqual(old != primary(), expected == "promoted")
                # A node streams before its rejoin is over, and a supervisor that rejoins does nothing else.
                eventually(lambda: len(supervisor.events("rejoined")) > rejoined, PATIENCE, "the old primary has rejoined")
                self.expect_whole(rows)
        except BaseException:
            print(*supervisor.events(), sep="\n", flush=True)
            raise
        finally:
            supervisor.stop()
        print(f"\n{self.id()}: without writes for {statistics.median(times):.2f} s (median), {max(times):.2f} s at most",
              flush=True)

    def kill(self, index):
        """The postmaster alone, as the kernel does when memory is short; its children find out."""
        os.kill(STAND.node_pid(index), signal.SIGKILL)

    def test_a_killed_primary_is_replaced_without_loss_and_rejoins(self):
        STAND.command("sync", "any 1")
        self.rounds(self.kill, "promoted", Rows())

    def test_clients_of_the_proxy_write_on_by_the_same_connection(self):  # E10, E20
        STAND.command("sync", "any 1")
        rows = RowsThroughFairlead()
        with rows.client:
            self.rounds(self.kill, "promoted", rows)

    def test_a_hung_primary_is_ended_and_replaced(self):
        STAND.command("sync", "any 1")
        self.rounds(lambda index: STAND.signal_node(index, signal.SIGSTOP), "promoted", Rows())

    def test_an_asynchronous_primary_is_restarted_in_place(self):
        STAND.command("sync", "off")
        supervisor, rows = Supervisor("--auto-failover"), Rows()
        try:
            rows.write_until_acknowledged(PATIENCE)
            old = primary()
            self.kill(old)
            took = rows.write_until_acknowledged(PATIENCE)
            self.assertEqual(primary(), old)
            eventually(lambda: supervisor.events("restarted"), PATIENCE, "the restart is told")
            print(f"\nrestarted in place: without writes for {took:.2f} s", flush=True)
            self.expect_whole(rows)
        finally:
            supervisor.stop()

    def test_an_asynchronous_primary_that_is_not_to_be_restarted_is_replaced_and_the_loss_is_told(self):
        STAND.command("sync", "off")
        supervisor, rows = Supervisor("--auto-failover", "--restart-limit", "0s"), Rows()
        try:
            old = primary()
            self.kill(old)
            took = rows.write_until_acknowledged(PATIENCE)
            self.assertNotEqual(primary(), old)
            [event] = eventually(lambda: supervisor.events("promoted"), PATIENCE, "the promotion is told")
            self.assertIn("commits may be lost: replication is asynchronous", event["text"])
            print(f"\nasynchronous, promoted: without writes for {took:.2f} s", flush=True)
            self.expect_whole(rows)
        finally:
            supervisor.stop()

    def test_a_killed_replica_is_restarted_and_a_stop_by_a_command_ends_the_supervisor(self):
        supervisor = Supervisor("--auto-failover")
        try:
            replica = next(index for index in range(3) if index != primary())
            self.kill(replica)
            eventually(lambda: supervisor.events("restarted"), PATIENCE, "the replica is restarted")
            eventually(lambda: streaming(primary()) == "2", PATIENCE, "it streams")
            STAND.command("stop")
            self.assertEqual(supervisor.process.wait(30), 0)
            self.assertEqual([row["state"] for row in STAND.json("status", code=4)], ["stopped"] * 3)
        finally:
            supervisor.stop()

    @contextlib.contextmanager
    def without_version(self, index):
        """The node does not start while this is open."""
        path = os.path.join(STAND.nodes[index]["data_dir"], "PG_VERSION")
        os.rename(path, path + ".away")
        try:
            yield STAND.nodes[index]["name"]
        finally:
            if os.path.exists(path + ".away"):
                os.rename(path + ".away", path)

    def test_a_replica_that_does_not_start_keeps_neither_the_others_down_nor_the_supervisor_away(self):
        STAND.command("sync", "any 1")
        old = primary()
        first = next(index for index in range(3) if index != old)
        STAND.command("stop")
        with self.without_version(first) as name:
            self.assertIn(f"{name} did not start", STAND.command("start", code=1).stderr)
            eventually(lambda: streaming(old) == "1", PATIENCE, "the other replica streams")
            supervisor = Supervisor("--auto-failover")  # It watches.
            try:
                eventually(lambda: supervisor.events("failed"), PATIENCE, "who does not start is told")
                self.assertEqual({event["node"] for event in supervisor.events("failed")}, {name})
                self.assertEqual(primary(), old)
            finally:
                supervisor.stop()

    def test_each_node_that_does_not_start_is_named(self):
        old = primary()
        STAND.command("stop")
        with contextlib.ExitStack() as broken:
            names = [broken.enter_context(self.without_version(index)) for index in range(3) if index != old]
            told = STAND.command("start", code=1).stderr
        self.assertIn("2 nodes did not start", told)
        for name in names:
            self.assertIn(f"{name} did not start", told)

    def test_a_primary_that_does_not_start_is_replaced(self):
        STAND.command("sync", "any 1")
        rows = Rows()
        rows.write_until_acknowledged(PATIENCE)
        old = primary()
        STAND.command("stop")
        with self.without_version(old) as name:
            supervisor = Supervisor("--auto-failover")
            try:
                eventually(lambda: supervisor.events("promoted"), PATIENCE, "another one is promoted")
                self.assertIn(name, {event["node"] for event in supervisor.events("failed")})
                rows.write_until_acknowledged(PATIENCE)
                eventually(lambda: supervisor.events("rejoined"), PATIENCE, "it comes back as a copy")
                self.expect_whole(rows)
            finally:
                supervisor.stop()

    def test_what_the_shell_tells_libpq_of_other_servers_is_not_meant_for_these(self):
        # As people have it who work with a database in a cloud.
        foreign = {"PGSSLMODE": "require", "PGTARGETSESSIONATTRS": "read-write", "PGHOSTADDR": "127.0.0.9", "PGSERVICE": "cloud",
                   "PGOPTIONS": "-c search_path=nowhere", "PGDATESTYLE": "nonsense"}
        with unittest.mock.patch.dict(os.environ, foreign):
            supervisor = Supervisor("--auto-failover")
            try:
                pids = [STAND.node_pid(index) for index in range(3)]
                with STAND.superuser(primary()) as node:
                    sessions = "select sessions from pg_stat_database where datname = 'postgres'"
                    before = int(node.value(sessions))
                    eventually(lambda: int(node.value(sessions)) > before + 3, PATIENCE, "the supervisor asks and is answered")
                self.assertEqual(supervisor.events("lost"), [])
                self.assertEqual([STAND.node_pid(index) for index in range(3)], pids)
                STAND.json("status")  # Its exit code is 0: all answer.
                self.assertEqual(STAND.json("switchover")["need_rejoin"], [])
            finally:
                supervisor.stop()

    def test_a_second_supervisor_is_refused(self):
        supervisor = Supervisor()
        try:
            self.assertIn("another fairlead cluster up watches", STAND.command("up", code=1).stderr)
        finally:
            self.assertEqual(supervisor.stop(), 0)


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=CommandedProxiedCluster, replicas=2)
