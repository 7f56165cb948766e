#!/usr/bin/python3
"""`fairlead cluster sync`: the rule of synchronous replication, changed under writers, seen on the primary, and refused where it would hang: E10, E11."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from stand.commands import CommandedCluster
from stand.direct_writers import row_writer
from stand.open import run_program
from stand.processes import eventually

STAND = None
NAMES = "show synchronous_standby_names"


def names(index=0):
    with STAND.superuser(index) as server:
        return server.value(NAMES)


def sync_states():
    with STAND.superuser() as server:
        return sorted(server.run("select application_name, sync_state from pg_stat_replication"))


class Sync(unittest.TestCase):
    def setUp(self):
        with STAND.superuser(0, "tests") as server:
            server.run("create table if not exists written (n int)")
        STAND.start_nodes()
        STAND.await_streaming()
        STAND.command("sync", "off")

    def test_each_rule_is_in_force_at_once_while_a_writer_goes_on(self):
        with row_writer(STAND) as writer:
            for rule, setting, states in (
                ("any 1", 'ANY 1 ("node2", "node3")', "quorum"),
                ("first 2", 'FIRST 2 ("node2", "node3")', "sync"),
                ("ANY 2", 'ANY 2 ("node2", "node3")', "quorum"),
                ("off", "", "async"),
            ):
                with self.subTest(rule=rule):
                    report = STAND.json("sync", rule)
                    self.assertEqual(report["sync"], rule.lower())
                    self.assertEqual(names(), setting)
                    self.assertEqual(sync_states(), [("node2", states), ("node3", states)])
                    self.assertEqual([node["sync_state"] for node in report["nodes"]], [None, states, states])
                    writer.go_on()

    def test_whoever_is_promoted_would_go_on_with_the_rule(self):
        STAND.command("sync", "any 1")
        self.assertEqual(names(1), 'ANY 1 ("node1", "node3")')
        self.assertEqual(names(2), 'ANY 1 ("node1", "node2")')

    def test_status_names_the_quorum(self):
        STAND.command("sync", "any 1")
        self.assertEqual(STAND.command("status").stdout.count("Quorum Standby"), 2)
        self.assertIn("Commits wait for: first 1", STAND.command("sync", "first 1").stdout)
        self.assertEqual(STAND.command("status").stdout.count("Sync Standby"), 1)

    def test_a_dry_run_prints_the_plan_and_changes_nothing(self):
        plan = STAND.command("sync", "any 1", "--dry-run").stdout
        self.assertIn("configure node1 and let it read that", plan)
        self.assertIn('ANY 1 ("node2", "node3")', plan)
        self.assertIn(" 4. ", "\n".join(STAND.json("sync", "any 1", "--dry-run")["plan"]))
        self.assertEqual(names(), "")

    def test_more_than_there_are_is_refused(self):
        done = STAND.command("sync", "any 3", code=1)
        self.assertIn("a commit cannot wait for 3 of 2 replicas", done.stderr)
        self.assertIn("next: ", done.stderr)
        self.assertIn("is no rule", STAND.command("sync", "some 1", code=2).stderr)
        self.assertEqual(names(), "")

    def test_more_than_stream_is_refused_and_fewer_is_not(self):
        STAND.stop_node(2)
        done = STAND.command("sync", "any 2", code=1)
        self.assertIn("commits on node1 would wait for 2 replicas, and 1 of the others streams", done.stderr)
        self.assertEqual(names(), "")
        STAND.command("sync", "any 1")
        # The one that is down has the rule when it is back.
        STAND.start_nodes()
        self.assertEqual(names(2), 'ANY 1 ("node1", "node2")')

    def expect_off_releases_writers(self, lose=lambda data: None):
        """`lose` is called with the data directory of each replica, which has ended."""
        STAND.command("sync", "any 1")
        for index in (1, 2):
            STAND.stop_node(index)
            lose(STAND.nodes[index]["data_dir"])
        with row_writer(STAND) as writer:
            with STAND.superuser() as server:
                waits = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'"
                eventually(lambda: server.value(waits) == "1", 20, "the writer waits for a replica")
            STAND.command("sync", "off")
            writer.go_on()

    def test_writers_that_wait_for_lost_replicas_are_released_by_off(self):
        self.expect_off_releases_writers()

    def test_writers_are_released_by_off_also_where_the_replicas_data_is_gone(self):
        def remove(data):
            os.rename(data, data + ".away")
            self.addCleanup(os.rename, data + ".away", data)

        self.expect_off_releases_writers(remove)

    def test_writers_are_released_by_off_also_where_the_replicas_disks_are_not_mounted(self):
        def unmount(data):
            os.rename(data, data + ".away")
            os.mkdir(data)
            self.addCleanup(os.rename, data + ".away", data)  # Over the folder, which is still empty.

        self.expect_off_releases_writers(unmount)

    def test_what_alter_system_said_gives_way_to_the_rule(self):
        with STAND.superuser() as server:
            server.run("alter system set synchronous_standby_names = 'node9'")
            STAND.command("sync", "any 1")
            self.assertEqual(names(), 'ANY 1 ("node2", "node3")')
            server.run("select pg_reload_conf()")
        eventually(lambda: names() == 'ANY 1 ("node2", "node3")', 10, "it stays so")

    def test_a_server_whose_commits_never_wait_is_refused(self):
        with STAND.superuser() as server:
            server.run("alter system set synchronous_commit = 'off'")
            server.run("select pg_reload_conf()")
            try:
                eventually(lambda: STAND.command("sync", "any 1", code=None).returncode == 1, 10, "it is refused")
                self.assertIn("synchronous_commit is off", STAND.command("sync", "any 1", code=1).stderr)
            finally:
                server.run("alter system reset synchronous_commit")
                server.run("select pg_reload_conf()")

    def test_a_killed_change_is_settled_by_the_next_command(self):
        for delay in (0.01, 0.05, 0.1, 0.15, 0.2, 0.3):
            with self.subTest(delay=delay):
                process = STAND.begin("sync", "any 1")
                time.sleep(delay)  # Somewhere in the middle; each place is fine.
                process.send_signal(signal.SIGKILL)
                process.communicate()
                STAND.command("sync", "any 2")
                self.assertEqual([names(index) for index in range(3)], [
                    'ANY 2 ("node2", "node3")', 'ANY 2 ("node1", "node3")', 'ANY 2 ("node1", "node2")'])
                STAND.command("sync", "off")

    def test_commits_of_before_must_have_arrived_when_the_rule_is_there(self):
        receivers = []
        for index in (1, 2):
            with STAND.superuser(index) as replica:
                receivers.append(int(replica.value("select pid from pg_stat_wal_receiver")))
        for pid in receivers:
            os.kill(pid, signal.SIGSTOP)
        try:
            with STAND.superuser(0, "tests") as writer:
                writer.run("insert into written values (2)")  # Nobody waits for anybody yet.
            process = STAND.begin("sync", "any 2")
            self.addCleanup(lambda: (process.kill(), process.communicate()))
            eventually(names, 20, "the rule is in force")
            with self.assertRaises(subprocess.TimeoutExpired):  # Both count, and neither has the row.
                process.wait(1.5)
        finally:
            for pid in receivers:
                os.kill(pid, signal.SIGCONT)
        self.assertEqual(process.wait(60), 0)


class Create(unittest.TestCase):
    def run_create(self, folder, *more):
        return subprocess.run([STAND.binary, "cluster", "create", "--dir", f"{folder}/c", *more], capture_output=True,
                              text=True, timeout=120, check=False)

    def test_a_cluster_is_made_with_its_rule(self):
        with tempfile.TemporaryDirectory(prefix="fl-") as folder:
            os.chmod(folder, 0o711)
            try:
                made = self.run_create(folder, "--replicas", "1", "--sync", "any 1", "--json")
                self.assertEqual(made.returncode, 0, made.stderr)
                status = subprocess.run([STAND.binary, "cluster", "status", "--dir", f"{folder}/c", "--json"],
                                        capture_output=True, text=True, check=True)
                self.assertEqual([node["sync_state"] for node in json.loads(status.stdout)], [None, "quorum"])
            finally:
                subprocess.run([STAND.binary, "cluster", "destroy", "--dir", f"{folder}/c"], capture_output=True, check=True)

    def test_a_rule_that_asks_for_too_many_is_a_usage_error(self):
        with tempfile.TemporaryDirectory(prefix="fl-") as folder:
            for more in (("--replicas", "1", "--sync", "any 2"), ("--sync", "both")):
                done = self.run_create(folder, *more)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("next: ", done.stderr)


if __name__ == "__main__":
    run_program(sys.modules[__name__], make=CommandedCluster)
